package gateway

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"

	"github.com/queuecommerce/queuecommerce/actors/domain"
)

// A token is what a sandbox intent's id says about the intent, so that the sandbox can go on with an intent that it does
// not remember: after a restart, on another member, or when memory has been given to newer ones. It is signed with the
// installation's secret; a text that was not issued under that secret is no id.
type token struct {
	card     uint8 // the test card that Create was asked to charge; 0: none
	amount   int64
	currency string
	key      digest // of the idempotency key, which makes the id unique
	order    string
	payment  string
}

// digest stands for an idempotency key.
type digest [12]byte

// seal is a token's signature, by which the sandbox finds what it remembers of the intent.
type seal [10]byte

const (
	tokenPrefix  = "pi_"
	secretInfix  = "_secret_"
	tokenVersion = 2
	// tokenNamesLast is the version before, of which stores have ids.
	tokenNamesLast = 1
	// nameMax keeps an id within Stripe's 255 characters; longer order ids are left out of it and out of the webhooks
	// of an intent that was rebuilt from its id.
	nameMax         = 48
	clientSecretLen = 12 // bytes
)

const (
	namesOwn   = iota // our own ids: 12 bytes of the order's id, and the payment's id follows from it
	namesPlain        // any two texts, each with its length
	namesNone
)

var tokenText = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

func digestOf(key string) digest {
	sum := sha256.Sum256([]byte(key))
	return digest(sum[:])
}

// sealer issues and reads ids. Safe for concurrent use.
type sealer struct{ key *domain.SecretKey }

func newSealer(secret []byte) *sealer { return &sealer{domain.NewSecretKey(secret)} }

// issue returns the id and client secret of a token: the same token always gets the same.
func (s *sealer) issue(t token) (id, clientSecret string, sign seal) {
	raw := make([]byte, 0, 160)
	raw = t.append(raw)
	sum := s.key.Sum(raw)
	sign = seal(sum[:])
	raw = append(raw, sign[:]...)

	text := make([]byte, 0, 320)
	text = append(text, tokenPrefix...)
	text = tokenText.AppendEncode(text, raw)
	length := len(text)
	text = append(text, secretInfix...)
	text = tokenText.AppendEncode(text, sum[len(sign):len(sign)+clientSecretLen])
	clientSecret = string(text)
	return clientSecret[:length], clientSecret, sign
}

// open reads an id that issue made under the same key.
func (s *sealer) open(id string) (t token, clientSecret string, sign seal, ok bool) {
	if len(id) <= len(tokenPrefix) || id[:len(tokenPrefix)] != tokenPrefix || len(id) > 255 {
		return token{}, "", seal{}, false
	}
	raw, err := tokenText.DecodeString(id[len(tokenPrefix):])
	if err != nil || len(raw) <= len(sign) {
		return token{}, "", seal{}, false
	}
	payload, signature := raw[:len(raw)-len(sign)], raw[len(raw)-len(sign):]
	sum := s.key.Sum(payload)
	if !hmac.Equal(sum[:len(sign)], signature) {
		return token{}, "", seal{}, false
	}
	if t, ok = parseToken(payload); !ok {
		return token{}, "", seal{}, false
	}
	return t, id + secretInfix + tokenText.EncodeToString(sum[len(sign):len(sign)+clientSecretLen]), seal(signature), true
}

// append begins with the order's name, which begins with the time: what an index of ids gets then comes in near its end.
func (t token) append(b []byte) []byte {
	b = append(b, tokenVersion)
	switch {
	case domain.IsID(t.order) && domain.PaymentIntentID(t.order) == t.payment:
		b = append(b, namesOwn)
		b, _ = hex.AppendDecode(b, []byte(t.order))
	case len(t.order) <= nameMax && len(t.payment) <= nameMax:
		b = append(b, namesPlain, byte(len(t.order)))
		b = append(b, t.order...)
		b = append(b, byte(len(t.payment)))
		b = append(b, t.payment...)
	default:
		b = append(b, namesNone)
	}
	b = append(b, t.card)
	b = append(b, t.key[:]...)
	b = binary.AppendUvarint(b, uint64(t.amount))
	return append(b, t.currency...)
}

// parseToken reads also what was issued when the names came last.
func parseToken(b []byte) (t token, ok bool) {
	if len(b) == 0 {
		return token{}, false
	}
	first, second := t.cutNames, t.cutCharge
	switch b[0] {
	case tokenVersion:
	case tokenNamesLast:
		first, second = second, first
	default:
		return token{}, false
	}
	if b, ok = first(b[1:]); ok {
		b, ok = second(b)
	}
	if !ok || len(b) != 0 {
		return token{}, false
	}
	return t, true
}

// cutCharge reads what is to be paid, and returns what follows it.
func (t *token) cutCharge(b []byte) (rest []byte, ok bool) {
	if len(b) < 1+len(t.key) {
		return nil, false
	}
	t.card = b[0]
	b = b[1:]
	b = b[copy(t.key[:], b):]
	amount, n := binary.Uvarint(b)
	if n <= 0 || len(b) < n+currencyLength {
		return nil, false
	}
	t.amount, t.currency = int64(amount), string(b[n:n+currencyLength])
	return b[n+currencyLength:], true
}

const (
	currencyLength = 3
	idBytes        = 12 // of an order's id, once its hex digits are read
)

// cutNames reads whose intent it is, and returns what follows.
func (t *token) cutNames(b []byte) (rest []byte, ok bool) {
	if len(b) == 0 {
		return nil, false
	}
	form, rest := b[0], b[1:]
	switch form {
	case namesOwn:
		if len(rest) < idBytes {
			return nil, false
		}
		t.order = hex.EncodeToString(rest[:idBytes])
		t.payment = domain.PaymentIntentID(t.order)
		return rest[idBytes:], true
	case namesPlain:
		if t.order, rest, ok = cutName(rest); !ok {
			return nil, false
		}
		t.payment, rest, ok = cutName(rest)
		return rest, ok
	}
	return rest, form == namesNone
}

func cutName(b []byte) (name string, rest []byte, ok bool) {
	if len(b) == 0 || len(b) < 1+int(b[0]) {
		return "", nil, false
	}
	length := 1 + int(b[0])
	return string(b[1:length]), b[length:], true
}
