package gateway

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	standard "github.com/go-json-experiment/json/v1"

	"github.com/queuecommerce/queuecommerce/actors/domain"
)

// DefaultTolerance is how far a webhook's timestamp may be from now, in both directions.
const DefaultTolerance = 5 * time.Minute

// SignatureHeader is the HTTP header that carries a webhook's signature.
const SignatureHeader = "Stripe-Signature"

// The webhook types that the payment rules know; any other type parses to an Event without an IntentID.
const (
	TypeSucceeded      = "payment_intent.succeeded"
	TypePaymentFailed  = "payment_intent.payment_failed"
	TypeProcessing     = "payment_intent.processing"
	TypeCanceled       = "payment_intent.canceled"
	TypeRequiresAction = "payment_intent.requires_action"
	TypeRefunded       = "charge.refunded"
	TypeDisputed       = "charge.dispute.created"
)

// WebhookKey is a webhook secret, ready to sign and to verify. Safe for concurrent use.
type WebhookKey struct {
	key  *domain.SecretKey
	none bool // no secret is configured
}

// NewWebhookKey makes the key of a secret. Without one, everything is refused.
func NewWebhookKey(secret string) *WebhookKey {
	return &WebhookKey{key: domain.NewSecretKey([]byte(secret)), none: secret == ""}
}

// Sign returns the value of SignatureHeader for a payload sent at that instant, in Stripe's scheme v1.
func (k *WebhookKey) Sign(payload []byte, at time.Time) string {
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := k.mac(payload, stamp)
	return "t=" + stamp + ",v1=" + hex.EncodeToString(mac[:])
}

func (k *WebhookKey) mac(payload []byte, stamp string) [sha256.Size]byte {
	return k.key.Sum([]byte(stamp+"."), payload)
}

// Parse verifies a webhook as Stripe signs it and reduces it to an Event. The error wraps ErrSignature when the signature
// is missing, malformed, wrong or made further than tolerance from now (0: DefaultTolerance), or when no secret is
// configured; ErrPayload when a rightly signed payload is no event. The event's API version does not matter.
func (k *WebhookKey) Parse(payload []byte, signature string, now time.Time, tolerance time.Duration) (Event, error) {
	if err := k.verify(payload, signature, now, tolerance); err != nil {
		return Event{}, err
	}
	var sent webhookEvent
	misfit := decode(payload, &sent)
	if misfit != nil { // objects of other types look different: what they are is of no interest then
		sent = webhookEvent{}
		if err := decode(payload, &sent.webhookHead); err != nil {
			return Event{}, fmt.Errorf("%w: %w", ErrPayload, err)
		}
	}
	event := Event{ID: sent.ID, Type: sent.Type}
	switch {
	case event.ID == "" || event.Type == "":
		return Event{}, fmt.Errorf("%w: no id or no type", ErrPayload)
	case !knownType(event.Type):
		return event, nil
	case misfit != nil:
		return Event{}, fmt.Errorf("%w: object of %s: %w", ErrPayload, event.Type, misfit)
	case sent.Data.Object.ID == "":
		return Event{}, fmt.Errorf("%w: object of %s has no id", ErrPayload, event.Type)
	}
	sent.Data.Object.describe(&event)
	return event, nil
}

func knownType(name string) bool {
	switch name {
	case TypeSucceeded, TypePaymentFailed, TypeProcessing, TypeCanceled, TypeRequiresAction, TypeRefunded, TypeDisputed:
		return true
	}
	return false
}

func (k *WebhookKey) verify(payload []byte, signature string, now time.Time, tolerance time.Duration) error {
	if k.none {
		return fmt.Errorf("%w: no secret configured", ErrSignature)
	}
	stamp, macs, err := splitSignature(signature)
	if err != nil {
		return err
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || seconds < 0 || seconds > 1<<40 {
		return fmt.Errorf("%w: no timestamp", ErrSignature)
	}
	if tolerance <= 0 {
		tolerance = DefaultTolerance
	}
	// The MAC comes before the age, so that an unsigned request learns nothing about this clock.
	want := k.mac(payload, stamp)
	valid := false
	for _, mac := range macs {
		valid = hmac.Equal(want[:], mac) || valid
	}
	if !valid {
		return fmt.Errorf("%w: no valid signature", ErrSignature)
	}
	if age := now.Sub(time.Unix(seconds, 0)); age > tolerance || age < -tolerance {
		return fmt.Errorf("%w: made %s ago, tolerance %s", ErrSignature, age.Round(time.Second), tolerance)
	}
	return nil
}

// splitSignature reads "t=<seconds>,v1=<hex>,v1=<hex>,v0=...". Several v1 appear while a secret is being rolled; other
// schemes, and a v1 that is not hex, are passed over as Stripe's own libraries do.
func splitSignature(header string) (stamp string, macs [][]byte, err error) {
	if header == "" {
		return "", nil, fmt.Errorf("%w: missing", ErrSignature)
	}
	for part := range strings.SplitSeq(header, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok {
			return "", nil, fmt.Errorf("%w: malformed header", ErrSignature)
		}
		switch name {
		case "t":
			stamp = value
		case "v1":
			if mac, err := hex.DecodeString(value); err == nil && len(macs) < 16 {
				macs = append(macs, mac)
			}
		}
	}
	if stamp == "" || len(macs) == 0 {
		return "", nil, fmt.Errorf("%w: no timestamp or no v1 signature", ErrSignature)
	}
	return stamp, macs, nil
}

// decode reads as encoding/json does (FuzzDecode), in less than half the time: with the code that encoding/json is made of
// from Go 1.27 on, and without its pass ahead of the reading that only finds out whether the text is JSON.
func decode(payload []byte, into any) error { return json.Unmarshal(payload, into, asEncodingJSON) }

var asEncodingJSON = json.JoinOptions(standard.DefaultOptionsV1(), standard.ReportErrorsWithLegacySemantics(false))

type webhookHead struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

type webhookEvent struct {
	webhookHead
	Data struct {
		Object webhookObject `json:"object"`
	} `json:"data"`
}

// webhookObject is what payment intents, charges and disputes have that matters here.
type webhookObject struct {
	ID             string         `json:"id"`
	Metadata       noticeMetadata `json:"metadata"`
	PaymentIntent  expandable     `json:"payment_intent"`
	PaymentMethod  expandable     `json:"payment_method"`
	AmountRefunded int64          `json:"amount_refunded"`
	Refunds        struct {
		Data []struct {
			ID      string `json:"id"`
			Created int64  `json:"created"`
		} `json:"data"`
	} `json:"refunds"`
	LastPaymentError *struct {
		Message       string     `json:"message"`
		Code          string     `json:"code"`
		PaymentMethod expandable `json:"payment_method"`
	} `json:"last_payment_error"`
}

func (o *webhookObject) describe(event *Event) {
	event.PaymentID = o.Metadata.PaymentID
	event.OrderID = o.Metadata.OrderID
	event.Method = string(o.PaymentMethod)
	switch event.Type {
	case TypeRefunded:
		event.IntentID = string(o.PaymentIntent)
		event.AmountRefunded = o.AmountRefunded
		newest := int64(-1)
		for _, refund := range o.Refunds.Data { // listed newest first, so of one second the first wins
			if refund.Created > newest {
				newest, event.RefundID = refund.Created, refund.ID
			}
		}
	case TypeDisputed:
		event.IntentID = string(o.PaymentIntent)
		event.DisputeID = o.ID
	default:
		event.IntentID = o.ID
	}
	if event.Type != TypePaymentFailed || o.LastPaymentError == nil {
		return
	}
	event.Message = o.LastPaymentError.Message
	if event.Message == "" {
		event.Message = o.LastPaymentError.Code
	}
	if event.Method == "" { // a declined intent has let go of its method
		event.Method = string(o.LastPaymentError.PaymentMethod)
	}
}

// expandable is a reference that Stripe writes as an id, as null, or expanded to the whole object.
type expandable string

func (e *expandable) UnmarshalJSON(b []byte) error {
	if len(b) > 1 && b[0] == '"' && bytes.IndexByte(b, '\\') < 0 { // as all ids are
		*e = expandable(b[1 : len(b)-1])
		return nil
	}
	if len(b) > 0 && b[0] == '{' {
		var object struct {
			ID string `json:"id"`
		}
		if err := decode(b, &object); err != nil {
			return err
		}
		*e = expandable(object.ID)
		return nil
	}
	var id string // stays empty for null
	if err := decode(b, &id); err != nil {
		return err
	}
	*e = expandable(id)
	return nil
}
