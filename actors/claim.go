package actors

import (
	"github.com/queuecommerce/queuecommerce/actors/claim"
	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/messages"
	"github.com/queuecommerce/queuecommerce/storage"
)

// claimEntity connects a claim's rules to messages.
type claimEntity struct {
	rules[claim.State, claim.Command, claim.Event]
	at domain.Time // of the last message, by which a claim for a while is judged
}

func newClaim() *claimEntity {
	return &claimEntity{rules: rules[claim.State, claim.Command, claim.Event]{decide: claim.Decide, evolve: (*claim.State).Evolve, codec: claim.Codec}}
}

func (c *claimEntity) translate(m *messages.Command, st stamp) (any, error) {
	c.at = st.at
	switch b := m.GetBody().(type) {
	case *messages.Command_AcquireClaim:
		return claim.Acquire{Owner: b.AcquireClaim.GetOwner(), Value: b.AcquireClaim.GetValue(), Until: claimedUntil(b.AcquireClaim, st.at), At: st.at}, nil
	case *messages.Command_ReleaseClaim:
		return claim.Release{Owner: b.ReleaseClaim.GetOwner(), At: st.at}, nil
	case *messages.Command_GetClaim, *messages.Command_Touch:
		return nil, nil
	}
	return nil, domain.Errorf(domain.KindInvalid, "unknown_command", "a claim does not understand %T", m.GetBody())
}

// claimedUntil is when a claim of that instant lapses; zero: never. Members of an earlier version name the end by their
// own clock.
func claimedUntil(m *messages.AcquireClaim, at domain.Time) domain.Time {
	if m.GetTtl() > 0 {
		return at + domain.Time(m.GetTtl())
	}
	return domain.Time(m.GetUntil())
}

func (c *claimEntity) answer(*messages.Command, uint64, bool) (*messages.Reply, bool) {
	owner, value := c.state.Holder(c.at)
	return &messages.Reply{Version: c.state.Version, Detail: &messages.Reply_Claim{Claim: &messages.Claim{Owner: owner, Value: value}}}, true
}

func (c *claimEntity) agenda() agenda { return agenda{} }
func (c *claimEntity) aside() []aside { return nil }
func (c *claimEntity) freeze() frozen { return nothing{} }

// nothing has no documents.
type nothing struct{}

func (nothing) documents() ([]storage.Document, error) { return nil, nil }
