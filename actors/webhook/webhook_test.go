package webhook_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/domain/domaintest"
	"github.com/queuecommerce/queuecommerce/actors/webhook"
)

const t0 = domain.Time(1_700_000_000_000)

var rules = domaintest.Rules[webhook.State, webhook.Command, webhook.Event]{
	Decide: webhook.Decide, Evolve: (*webhook.State).Evolve, Codec: webhook.Codec,
}

func TestStoredEvents(t *testing.T) {
	domaintest.Golden[webhook.Event](t, webhook.Codec,
		webhook.Parked{Notice: webhook.Notice{EventID: "evt_1", Type: "charge.refunded", IntentID: "pi_1", RefundID: "re_1",
			DisputeID: "dp_1", Message: "Your card was declined.", Method: "pm_1", AmountRefunded: 100, At: t0}},
		webhook.Settled{GivenUp: true, At: t0})
}

func notice(id string, at domain.Time) webhook.Notice {
	return webhook.Notice{EventID: id, Type: "payment_intent.succeeded", IntentID: "pi_1", At: at}
}

func TestEncoders(t *testing.T) {
	domaintest.Encoders(t, webhook.Codec)
}

func TestRules(t *testing.T) {
	a, b := webhook.Parked{Notice: notice("a", t0)}, webhook.Parked{Notice: notice("b", t0+10)}
	keep := domain.Time(webhook.Keep.Milliseconds())
	domaintest.Table(t, rules, []domaintest.Row[webhook.Command, webhook.Event]{
		{Name: "a notice is kept", When: webhook.Park{Notice: notice("a", t0)}, Then: []webhook.Event{a}},
		{Name: "a repeat is kept once", Given: []webhook.Event{a}, When: webhook.Park{Notice: notice("a", t0+99)}},
		{Name: "another one is kept beside it", Given: []webhook.Event{a}, When: webhook.Park{Notice: notice("b", t0+10)}, Then: []webhook.Event{b}},
		{Name: "a repeat after delivery is kept and delivered again", Given: []webhook.Event{a, webhook.Settled{At: t0}},
			When: webhook.Park{Notice: notice("a", t0)}, Then: []webhook.Event{a}},
		{Name: "all delivered", Given: []webhook.Event{a, b},
			When: webhook.RecordDelivered{Count: 2, Version: 2, At: t0 + 20}, Then: []webhook.Event{webhook.Settled{At: t0 + 20}}},
		{Name: "one came during delivery: all stay", Given: []webhook.Event{a, b}, When: webhook.RecordDelivered{Count: 1, Version: 1, At: t0 + 20}},
		{Name: "a late report does not settle what came since", Given: []webhook.Event{a, webhook.Settled{At: t0}, b},
			When: webhook.RecordDelivered{Count: 1, Version: 1, At: t0 + 20}},
		{Name: "a report when nothing waits", When: webhook.RecordDelivered{At: t0}},
		{Name: "still kept just before the end", Given: []webhook.Event{a, b}, When: webhook.Tick{At: t0 + 10 + keep - 1}},
		{Name: "given up when the newest is too old", Given: []webhook.Event{a, b},
			When: webhook.Tick{At: t0 + 10 + keep}, Then: []webhook.Event{webhook.Settled{GivenUp: true, At: t0 + 10 + keep}}},
		{Name: "nothing to give up", When: webhook.Tick{At: t0 + 10*keep}},
	})
}

// Deliveries that are reported late, twice or not at all lose no notice before it is given up.
func TestNothingLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		subject, now := rules.New(), t0
		undelivered, reached := map[string]bool{}, map[string]bool{}
		var reports []webhook.RecordDelivered
		for i := range rapid.IntRange(1, 40).Draw(t, "steps") {
			now++
			switch waiting := subject.State.Waiting; rapid.IntRange(0, 2).Draw(t, "what") {
			case 0:
				n := notice(fmt.Sprint(rapid.IntRange(0, i).Draw(t, "event")), now)
				_, _ = subject.Do(t, webhook.Park{Notice: n})
				if !reached[n.EventID] {
					undelivered[n.EventID] = true
				}
			case 1:
				for _, n := range waiting {
					reached[n.EventID] = true
					delete(undelivered, n.EventID)
				}
				reports = append(reports, webhook.RecordDelivered{Count: len(waiting), Version: subject.State.Version, At: now})
			default:
				if len(reports) > 0 {
					_, _ = subject.Do(t, rapid.SampledFrom(reports).Draw(t, "report"))
				}
			}
			for id := range undelivered {
				if !waits(subject.State, id) {
					t.Fatalf("notice %s is gone and was never delivered", id)
				}
			}
		}
	})
}

func waits(s webhook.State, id string) bool {
	for _, n := range s.Waiting {
		if n.EventID == id {
			return true
		}
	}
	return false
}
