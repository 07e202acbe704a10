package actors

import (
	"context"
	"time"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/webhook"
	"github.com/queuecommerce/queuecommerce/messages"
	"github.com/queuecommerce/queuecommerce/storage"
)

// webhookEntity keeps the webhooks of one provider's intent until a payment knows that intent.
type webhookEntity struct {
	rules[webhook.State, webhook.Command, webhook.Event]
	host     *Host
	intentID string
}

func newWebhook(h *Host, intentID string) *webhookEntity {
	return &webhookEntity{host: h, intentID: intentID,
		rules: rules[webhook.State, webhook.Command, webhook.Event]{decide: webhook.Decide, evolve: (*webhook.State).Evolve, codec: webhook.Codec}}
}

func (w *webhookEntity) translate(m *messages.Command, st stamp) (any, error) {
	switch b := m.GetBody().(type) {
	case *messages.Command_ParkWebhook:
		e := b.ParkWebhook.GetEvent()
		return webhook.Park{Notice: webhook.Notice{EventID: e.GetEventId(), Type: e.GetType(), IntentID: e.GetIntentId(),
			RefundID: e.GetRefundId(), DisputeID: e.GetDisputeId(), Message: e.GetMessage(), Method: e.GetMethod(),
			AmountRefunded: e.GetAmountRefunded(), At: st.at}}, nil
	case *messages.Command_Touch:
		return nil, nil
	}
	return nil, domain.Errorf(domain.KindInvalid, "unknown_command", "a webhook inbox does not understand %T", m.GetBody())
}

func (w *webhookEntity) answer(*messages.Command, uint64, bool) (*messages.Reply, bool) {
	return &messages.Reply{Version: w.state.Version}, true
}

func (w *webhookEntity) agenda() agenda {
	if len(w.state.Waiting) == 0 {
		return agenda{}
	}
	return agenda{task: "deliver", run: w.deliver(), patience: lookAgain, wake: w.state.Deadline(),
		tick: func(at domain.Time) any { return webhook.Tick{At: at} }}
}

// lookAgain is how often the read model is asked whether a payment knows the intent by now; young inboxes look sooner.
const lookAgain = 30 * time.Second

// deliver looks for the payment and gives it what waits.
func (w *webhookEntity) deliver() func(context.Context) report {
	waiting, version, h, intentID := w.state.Waiting, w.state.Version, w.host, w.intentID
	return func(ctx context.Context) report {
		again := report{again: lookAgain}
		if h.now() < waiting[len(waiting)-1].At.Add(lookAgain) {
			again.again = retryTask
		}
		found, err := h.Store.List(ctx, storage.Filter{Collection: storage.Payments, External: intentID}, storage.Position{}, 0, 1)
		if err != nil || len(found) == 0 {
			return again
		}
		identity, err := paymentIdentity(found[0])
		if err != nil {
			h.Logger.Error("payment document not readable", "id", found[0].ID, "err", err)
			return again
		}
		for _, n := range waiting {
			reply, _ := h.insist(ctx, KindPayment, identity, func() *messages.Command {
				return &messages.Command{Cause: KindWebhook + "/" + n.EventID, Body: &messages.Command_RecordGatewayEvent{
					RecordGatewayEvent: &messages.RecordGatewayEvent{EventId: n.EventID, Type: n.Type, IntentId: n.IntentID,
						AmountRefunded: n.AmountRefunded, RefundId: n.RefundID, DisputeId: n.DisputeID, Message: n.Message, Method: n.Method}}}
			})
			if reply == nil {
				return report{}
			}
		}
		return report{commands: []any{webhook.RecordDelivered{Count: len(waiting), Version: version, At: h.now()}}}
	}
}

func (w *webhookEntity) aside() []aside { return nil }
func (w *webhookEntity) freeze() frozen { return nothing{} }
