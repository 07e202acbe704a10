package domain

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"time"
)

// An ID is 24 hex digits: 8 of the second of creation, so that ids sort by it, and a tail of 16 that is unique by itself.
// The tail alone is the identity of an order's entity: where a client's Idempotency-Key decides the tail, a retry in
// another second still reaches the same entity.

// NewID composes an id from the instant of creation and 8 bytes that nobody else has.
func NewID(at Time, tail [8]byte) string {
	var raw [12]byte
	binary.BigEndian.PutUint32(raw[:4], uint32(at/1000))
	copy(raw[4:], tail[:])
	var text [2 * len(raw)]byte
	hex.Encode(text[:], raw[:])
	return string(text[:])
}

// SortableTail makes a tail that begins with the time, in units of 61 microseconds, as far as that goes: it begins anew
// after three days. So what is created together lies together where a store knows it by its tail alone, and ids of one
// second sort by creation.
func SortableTail(at time.Time, random [4]byte) [8]byte {
	const perSecond = 1 << 14
	var tail [8]byte
	binary.BigEndian.PutUint32(tail[:4], uint32(at.Unix()*perSecond+int64(at.Nanosecond())*perSecond/int64(time.Second)))
	copy(tail[4:], random[:])
	return tail
}

// IsID says whether the text has the form of an id: 24 lower case hex digits.
func IsID(text string) bool {
	return len(text) == 24 && isHex(text)
}

func isHex(text string) bool {
	for i := range len(text) {
		c := text[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

var crockford = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

const numberPrefix = "ORD-"

// OrderNumber is the number that people quote; it carries the id's tail, so it is as unique and as hard to guess. A text
// that is no id gives one that is no order number.
func OrderNumber(id string) string {
	if !IsID(id) {
		return numberPrefix + strings.ToUpper(id)
	}
	return numberOf(id[8:])
}

func numberOf(identity string) string {
	tail, err := hex.DecodeString(identity)
	if err != nil {
		panic(err) // ours: 16 hex digits
	}
	return numberPrefix + crockford.EncodeToString(tail)
}

// OrderIdentityOfNumber is the identity of the order's entity; ok is false for a text that is no order number.
func OrderIdentityOfNumber(number string) (identity string, ok bool) {
	text, ok := strings.CutPrefix(number, numberPrefix)
	if !ok || len(text) != 13 {
		return "", false
	}
	tail, err := crockford.DecodeString(text)
	if err != nil || len(tail) != 8 {
		return "", false
	}
	identity = hex.EncodeToString(tail)
	if numberOf(identity) != number { // 13 digits have a bit to spare: only one spelling is the number
		return "", false
	}
	return identity, true
}

const external = "x:"

// OrderIdentity is the identity of the entities "order" and "payment" that belong to an order id. Ids of other systems
// have any form; ours have 24 hex digits.
func OrderIdentity(orderID string) string {
	if IsID(orderID) {
		return orderID[8:]
	}
	return external + orderID
}

const paymentPrefix = "pay_"

// PaymentIntentID is the public id of the order's one payment.
func PaymentIntentID(orderID string) string {
	identity := OrderIdentity(orderID)
	if raw, ok := strings.CutPrefix(identity, external); ok {
		return paymentPrefix + externalMark + base64.RawURLEncoding.EncodeToString([]byte(raw))
	}
	return paymentPrefix + identity
}

// externalMark is no hex digit, so that no public id can be read both ways.
const externalMark = "x"

// PaymentIdentity is the identity of the entity "payment" behind a public id; ok is false for a malformed one.
func PaymentIdentity(paymentIntentID string) (identity string, ok bool) {
	text, ok := strings.CutPrefix(paymentIntentID, paymentPrefix)
	if !ok {
		return "", false
	}
	if encoded, ok := strings.CutPrefix(text, externalMark); ok {
		raw, err := base64.RawURLEncoding.DecodeString(encoded)
		if err != nil || len(raw) == 0 || PaymentIntentID(string(raw)) != paymentIntentID {
			return "", false
		}
		return external + string(raw), true
	}
	if len(text) != 16 || !isHex(text) {
		return "", false
	}
	return text, true
}
