package claim_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/queuecommerce/queuecommerce/actors/claim"
	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/domain/domaintest"
)

const t0 = domain.Time(1_700_000_000_000)

var rules = domaintest.Rules[claim.State, claim.Command, claim.Event]{
	Decide: claim.Decide, Evolve: (*claim.State).Evolve, Codec: claim.Codec,
}

func TestStoredEvents(t *testing.T) {
	domaintest.Golden[claim.Event](t, claim.Codec, claim.Acquired{Owner: "LAMP", Value: "LAMP", Until: t0 + 1, At: t0}, claim.Released{At: t0})
}

func TestEncoders(t *testing.T) {
	domaintest.Encoders(t, claim.Codec)
}

func TestRules(t *testing.T) {
	lamp := claim.Acquired{Owner: "lamp", Value: "v", Until: t0 + 1000, At: t0}
	good := claim.Acquired{Owner: "lamp", Value: "v", At: t0}
	domaintest.Table(t, rules, []domaintest.Row[claim.Command, claim.Event]{
		{Name: "a free value goes to who asks first",
			When: claim.Acquire{Owner: "lamp", Value: "v", Until: t0 + 1000, At: t0}, Then: []claim.Event{lamp}},
		{Name: "a claimed value is refused to others", Given: []claim.Event{lamp},
			When: claim.Acquire{Owner: "desk", At: t0 + 999}, Kind: domain.KindConflict, Code: "claimed"},
		{Name: "a claim for a while lapses exactly at its end", Given: []claim.Event{lamp},
			When: claim.Acquire{Owner: "desk", At: t0 + 1000}, Then: []claim.Event{claim.Acquired{Owner: "desk", At: t0 + 1000}}},
		{Name: "a claim for good never lapses", Given: []claim.Event{good},
			When: claim.Acquire{Owner: "desk", At: t0 + 1_000_000_000}, Kind: domain.KindConflict, Code: "claimed"},
		{Name: "the owner makes it good for ever", Given: []claim.Event{lamp},
			When: claim.Acquire{Owner: "lamp", Value: "v", At: t0 + 5}, Then: []claim.Event{claim.Acquired{Owner: "lamp", Value: "v", At: t0 + 5}}},
		{Name: "the owner makes it longer", Given: []claim.Event{lamp},
			When: claim.Acquire{Owner: "lamp", Value: "v", Until: t0 + 2000, At: t0 + 5}, Then: []claim.Event{claim.Acquired{Owner: "lamp", Value: "v", Until: t0 + 2000, At: t0 + 5}}},
		{Name: "a repeat that comes late does not make it shorter", Given: []claim.Event{lamp},
			When: claim.Acquire{Owner: "lamp", Value: "v", Until: t0 + 500, At: t0 + 5}},
		{Name: "a claim for a while takes nothing from one for good", Given: []claim.Event{good},
			When: claim.Acquire{Owner: "lamp", Value: "v", Until: t0 + 500, At: t0 + 5}},
		{Name: "the owner takes its own lapsed claim again", Given: []claim.Event{lamp},
			When: claim.Acquire{Owner: "lamp", Value: "v", Until: t0 + 3000, At: t0 + 2000}, Then: []claim.Event{claim.Acquired{Owner: "lamp", Value: "v", Until: t0 + 3000, At: t0 + 2000}}},
		{Name: "the owner gives it up", Given: []claim.Event{good},
			When: claim.Release{Owner: "lamp", At: t0 + 1}, Then: []claim.Event{claim.Released{At: t0 + 1}}},
		{Name: "another owner's release changes nothing", Given: []claim.Event{good}, When: claim.Release{Owner: "desk", At: t0 + 1}},
		{Name: "what was released goes to the next", Given: []claim.Event{good, claim.Released{At: t0}},
			When: claim.Acquire{Owner: "desk", At: t0}, Then: []claim.Event{claim.Acquired{Owner: "desk", At: t0}}},
	})
}

// However often and late owners ask, a claim for good has one owner until that owner gives it up.
func TestOneOwner(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		subject, now := rules.New(), t0
		owners := rapid.SampledFrom([]string{"lamp", "desk", "chair"})
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now += domain.Time(rapid.IntRange(0, 50).Draw(t, "passes"))
			before := subject.State
			owner := owners.Draw(t, "owner")
			if rapid.IntRange(0, 3).Draw(t, "release") == 0 {
				if _, err := subject.Do(t, claim.Release{Owner: owner, At: now}); err != nil {
					t.Fatalf("release refused: %v", err)
				}
				if holder, _ := subject.State.Holder(now); before.Owner != owner && holder != before.Owner && before.Until == 0 {
					t.Fatalf("%s released what %s holds", owner, before.Owner)
				}
				continue
			}
			until := domain.Time(0)
			if rapid.Bool().Draw(t, "for a while") {
				until = now + domain.Time(rapid.IntRange(1, 80).Draw(t, "ttl"))
			}
			_, err := subject.Do(t, claim.Acquire{Owner: owner, Value: owner, Until: until, At: now})
			held, _ := before.Holder(now)
			if granted := err == nil; granted != (held == "" || held == owner) {
				t.Fatalf("%s asked while %q held: %v", owner, held, err)
			}
			if holder, value := subject.State.Holder(now); err == nil && (holder != owner || value != owner) {
				t.Fatalf("granted to %s, held by %q for %q", owner, holder, value)
			}
		}
	})
}
