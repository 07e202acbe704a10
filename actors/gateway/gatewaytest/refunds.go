package gatewaytest

import (
	"fmt"
	"net/url"
	"strconv"
)

// Refund is money that was given back.
type Refund struct {
	ID, IntentID string
	Amount       int64
	Metadata     map[string]string
}

// Refunds lists the money that was given back, in order.
func (s *Server) Refunds() []Refund {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Refund(nil), s.refunds...)
}

func (s *Server) refund(form url.Values) reply {
	in, ok := s.intents[form.Get("payment_intent")]
	if !ok {
		return noIntent(form.Get("payment_intent"))
	}
	amount, err := strconv.ParseInt(form.Get("amount"), 10, 64)
	if err != nil || amount < 1 {
		return invalid("parameter_invalid_integer", "Invalid positive integer")
	}
	switch {
	case in.chargeID == "":
		return refused("", "This PaymentIntent does not have a successful charge to refund.")
	case in.Refunded == in.Amount:
		return refused("charge_already_refunded", fmt.Sprintf("Charge %s has already been refunded.", in.chargeID))
	case amount > in.Amount-in.Refunded:
		return refused("", fmt.Sprintf("Refund amount (%d) is greater than unrefunded amount on charge (%d)",
			amount, in.Amount-in.Refunded))
	}
	in.Refunded += amount
	made := Refund{ID: "re_" + s.newID(), IntentID: in.ID, Amount: amount, Metadata: metadataOf(form)}
	s.refunds = append(s.refunds, made)
	s.emit("charge.refunded", map[string]any{
		"id": in.chargeID, "object": "charge", "amount": in.Amount, "amount_refunded": in.Refunded,
		"refunded": in.Refunded == in.Amount, "payment_intent": in.ID, "metadata": in.metadata, "currency": in.currency,
	})
	return ok200(made.json())
}

// refused is a refusal that comes from executing the call, so the key keeps it.
func refused(code, message string) reply {
	answer := invalid(code, message)
	answer.stored = true
	return answer
}

func (s *Server) listRefunds(intentID string) reply {
	if _, ok := s.intents[intentID]; !ok {
		return noIntent(intentID)
	}
	var data []any
	for _, made := range s.refunds {
		if made.IntentID == intentID {
			data = append(data, made.json())
		}
	}
	return ok200(list(data))
}

func (r Refund) json() map[string]any {
	return map[string]any{"id": r.ID, "object": "refund", "amount": r.Amount, "payment_intent": r.IntentID,
		"status": "succeeded", "metadata": r.Metadata}
}
