package gatewaytest

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/queuecommerce/queuecommerce/actors/gateway"
	"github.com/queuecommerce/queuecommerce/actors/gateway/internal/testcard"
)

// Charge is money that was taken.
type Charge struct {
	ID, IntentID       string
	OrderID, PaymentID string
	Amount             int64
	Currency, Method   string
}

// Intent is a payment intent as the provider sees it.
type Intent struct {
	ID, OrderID, PaymentID string
	Status                 gateway.Status
	Amount                 int64
	Refunded               int64
}

type intent struct {
	Intent
	secret   string
	currency string
	email    string
	metadata map[string]string
	method   string
	card     testcard.Card
	chargeID string
	created  int64
}

// Charges lists the money that was taken, in order.
func (s *Server) Charges() []Charge {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Charge(nil), s.charges...)
}

// Intents lists the intents, in order of creation.
func (s *Server) Intents() []Intent {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Intent, len(s.order))
	for i, in := range s.order {
		all[i] = in.Intent
	}
	return all
}

func (s *Server) create(form url.Values, fault Fault) reply {
	amount, err := strconv.ParseInt(form.Get("amount"), 10, 64)
	if err != nil || amount < 1 {
		return invalid("parameter_invalid_integer", "Invalid positive integer")
	}
	currency := form.Get("currency")
	if len(currency) != 3 {
		return invalid("", "Invalid currency: "+currency)
	}
	confirm := form.Get("confirm") == "true"
	method := form.Get("payment_method")
	card, ok := testcard.ByMethod(method)
	if method != "" && !ok {
		return noMethod(method)
	}
	in := &intent{
		Intent:   Intent{ID: "pi_" + s.newID(), Status: gateway.StatusRequiresMethod, Amount: amount},
		currency: currency,
		email:    form.Get("receipt_email"),
		metadata: metadataOf(form),
		created:  s.cfg.Now().Unix(),
	}
	in.OrderID, in.PaymentID = in.metadata["orderId"], in.metadata["paymentIntentId"]
	in.secret = in.ID + "_secret_" + s.newID()
	s.intents[in.ID] = in
	s.order = append(s.order, in)
	if !confirm {
		return ok200(in.json())
	}
	return s.attempt(in, card, method, fault)
}

func metadataOf(form url.Values) map[string]string {
	m := map[string]string{}
	for name, values := range form {
		if key, ok := strings.CutPrefix(name, "metadata["); ok {
			m[strings.TrimSuffix(key, "]")] = values[0]
		}
	}
	return m
}

func (s *Server) confirm(id string, form url.Values, fault Fault) reply {
	in, ok := s.intents[id]
	if !ok {
		return noIntent(id)
	}
	method := form.Get("payment_method")
	card, ok := testcard.ByMethod(method)
	if !ok {
		return noMethod(method)
	}
	if in.Status == gateway.StatusSucceeded || in.Status == gateway.StatusCanceled {
		return in.unexpected("confirm")
	}
	return s.attempt(in, card, method, fault)
}

func (s *Server) attempt(in *intent, card testcard.Card, method string, fault Fault) reply {
	if fault == Decline {
		card, _ = testcard.ByMethod("pm_card_chargeDeclined")
	}
	in.card, in.method = card, method
	switch card.Kind {
	case testcard.Challenged:
		in.Status = gateway.StatusRequiresAction
		s.emit(gateway.TypeRequiresAction, in.json())
		return ok200(in.json())
	case testcard.Declined:
		return s.refuse(in)
	}
	s.charge(in)
	return ok200(in.json())
}

func (s *Server) charge(in *intent) {
	in.Status, in.chargeID = gateway.StatusSucceeded, "ch_"+s.newID()
	s.charges = append(s.charges, Charge{ID: in.chargeID, IntentID: in.ID, OrderID: in.OrderID, PaymentID: in.PaymentID,
		Amount: in.Amount, Currency: in.currency, Method: in.method})
	s.emit(gateway.TypeSucceeded, in.json())
	if in.card.Dispute != "" {
		s.emit(gateway.TypeDisputed, map[string]any{"id": "dp_" + s.newID(), "object": "dispute", "charge": in.chargeID,
			"payment_intent": in.ID, "amount": in.Amount, "reason": in.card.Dispute, "metadata": map[string]string{}})
	}
}

func (s *Server) refuse(in *intent) reply {
	in.Status = gateway.StatusRequiresMethod
	in.method = ""
	s.emit(gateway.TypePaymentFailed, in.json())
	answer := failed(http.StatusPaymentRequired, apiError{Type: "card_error", Code: in.card.Code,
		DeclineCode: in.card.DeclineCode, Message: in.card.Message, PaymentIntent: in.json()})
	answer.stored = true
	return answer
}

// CompleteAction plays the buyer at the bank's 3-D Secure page.
func (s *Server) CompleteAction(intentID string, approve bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	in, ok := s.intents[intentID]
	if !ok || in.Status != gateway.StatusRequiresAction {
		return fmt.Errorf("intent %s does not wait for an action", intentID)
	}
	switch {
	case !approve:
		in.card = testcard.Unauthenticated()
		s.refuse(in)
	case in.card.Code != "":
		s.refuse(in)
	default:
		s.charge(in)
	}
	return nil
}

func (s *Server) cancel(id string) reply {
	in, ok := s.intents[id]
	if !ok {
		return noIntent(id)
	}
	if in.Status == gateway.StatusSucceeded || in.Status == gateway.StatusCanceled ||
		in.Status == gateway.StatusProcessing {
		return in.unexpected("cancel")
	}
	in.Status = gateway.StatusCanceled
	in.card = testcard.Card{}
	s.emit(gateway.TypeCanceled, in.json())
	return ok200(in.json())
}

// SetProcessing puts an intent into the state of a payment that the bank has not decided yet.
func (s *Server) SetProcessing(intentID string) error {
	return s.set(intentID, gateway.StatusProcessing)
}

// SetOpen ends SetProcessing: the bank has refused.
func (s *Server) SetOpen(intentID string) error { return s.set(intentID, gateway.StatusRequiresMethod) }

func (s *Server) set(intentID string, status gateway.Status) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	in, ok := s.intents[intentID]
	if !ok || in.chargeID != "" {
		return fmt.Errorf("intent %s is unknown or paid", intentID)
	}
	in.Status = status
	return nil
}

// search understands metadata['name']:'value'.
func (s *Server) search(query string) reply {
	rest, ok := strings.CutPrefix(query, "metadata['")
	name, value, found := strings.Cut(rest, "']:'")
	if !ok || !found || !strings.HasSuffix(value, "'") {
		return invalid("", "We were unable to parse your search query.")
	}
	value = strings.NewReplacer(`\\`, `\`, `\'`, `'`).Replace(strings.TrimSuffix(value, "'"))
	var data []any
	for _, in := range s.order {
		if in.metadata[name] == value {
			data = append(data, in.json())
		}
	}
	found200 := list(data)
	found200["object"] = "search_result"
	return ok200(found200)
}

func (in *intent) json() map[string]any {
	object := map[string]any{
		"id": in.ID, "object": "payment_intent", "amount": in.Amount, "currency": in.currency, "status": string(in.Status),
		"client_secret": in.secret, "metadata": in.metadata, "created": in.created, "livemode": false,
		"payment_method": nil, "latest_charge": nil, "last_payment_error": nil,
	}
	if in.method != "" {
		object["payment_method"] = in.method
	}
	if in.chargeID != "" {
		object["latest_charge"] = in.chargeID
	}
	if in.Status == gateway.StatusRequiresMethod && in.card.Code != "" {
		object["last_payment_error"] = map[string]any{"type": "card_error", "code": in.card.Code,
			"decline_code": in.card.DeclineCode, "message": in.card.Message}
	}
	return object
}

func (in *intent) unexpected(what string) reply {
	answer := failed(http.StatusBadRequest, apiError{Type: "invalid_request_error", Code: "payment_intent_unexpected_state",
		Message:       fmt.Sprintf("You cannot %s this PaymentIntent because it has a status of %s.", what, in.Status),
		PaymentIntent: in.json()})
	answer.stored = true
	return answer
}

func invalid(code, message string) reply {
	return failed(http.StatusBadRequest, apiError{Type: "invalid_request_error", Code: code, Message: message})
}

func noIntent(id string) reply {
	return failed(http.StatusNotFound, apiError{Type: "invalid_request_error", Code: "resource_missing",
		Message: fmt.Sprintf("No such payment_intent: '%s'", id)})
}

func noMethod(method string) reply {
	return invalid("resource_missing", fmt.Sprintf("No such PaymentMethod: '%s'", method))
}
