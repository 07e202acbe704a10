package domain_test

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/queuecommerce/queuecommerce/actors/domain"
)

const t0 = domain.Time(1_700_000_000_000)

func tails() *rapid.Generator[[8]byte] {
	return rapid.Custom(func(t *rapid.T) [8]byte {
		return [8]byte(rapid.SliceOfN(rapid.Byte(), 8, 8).Draw(t, "tail"))
	})
}

func ids() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		at := domain.Time(rapid.Int64Range(1, 1<<32*1000-1).Draw(t, "at"))
		return domain.NewID(at, tails().Draw(t, "id"))
	})
}

func TestIDsSortByCreation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Two instants at least 62 microseconds apart, as the text of SortableTail promises.
		a := rapid.Int64Range(0, 1<<31*1_000_000_000).Draw(t, "nanoseconds")
		b := a + rapid.Int64Range(62_000, 3_000_000_000).Draw(t, "later")
		id := func(nanoseconds int64) string {
			at := time.Unix(0, nanoseconds)
			random := [4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "random"))
			return domain.NewID(domain.At(at), domain.SortableTail(at, random))
		}
		first, second := id(a), id(b)
		if first >= second {
			t.Fatalf("%s of %d does not sort before %s of %d", first, a, second, b)
		}
		if !domain.IsID(first) {
			t.Fatalf("%s is no id", first)
		}
	})
}

// TestTailsOfADaySortByCreation: three days are 2^18 seconds and some, and a tail begins anew with each 2^18 of them.
func TestTailsOfADaySortByCreation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const turn = 1 << 18
		began := time.Unix(turn*rapid.Int64Range(0, 10_000).Draw(t, "turn"), 0)
		a := rapid.Int64Range(0, int64(turn*time.Second)-62_001).Draw(t, "nanoseconds")
		b := rapid.Int64Range(a+62_000, int64(turn*time.Second)-1).Draw(t, "later")
		tail := func(nanoseconds int64) string {
			made := domain.SortableTail(began.Add(time.Duration(nanoseconds)), [4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "random")))
			return string(made[:])
		}
		if first, second := tail(a), tail(b); first >= second {
			t.Fatalf("%x of %d does not sort before %x of %d", first, a, second, b)
		}
	})
}

func TestIDIsTheSameEntityInAnotherSecond(t *testing.T) {
	tail := [8]byte{1, 2, 3, 4, 5, 6, 7, 8}
	a, b := domain.NewID(t0, tail), domain.NewID(t0+1000, tail)
	if a == b || domain.OrderIdentity(a) != domain.OrderIdentity(b) || domain.OrderIdentity(a) != "0102030405060708" {
		t.Fatalf("%s and %s: identities %s and %s", a, b, domain.OrderIdentity(a), domain.OrderIdentity(b))
	}
}

func TestIsID(t *testing.T) {
	for text, want := range map[string]bool{
		"0123456789abcdef01234567": true, "": false, "0123456789abcdef0123456": false, "0123456789abcdef012345678": false,
		"0123456789ABCDEF01234567": false, "0123456789abcdeg01234567": false, "0123456789abcdef0123456 ": false, "ａ23456789abcdef01234567": false,
	} {
		if domain.IsID(text) != want {
			t.Errorf("IsID(%q) = %v", text, !want)
		}
	}
}

func TestOrderNumberLeadsBackToTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := ids().Draw(t, "id")
		number := domain.OrderNumber(id)
		identity, ok := domain.OrderIdentityOfNumber(number)
		if !ok || identity != domain.OrderIdentity(id) {
			t.Fatalf("%s has number %s, which leads to %q, %v", id, number, identity, ok)
		}
		if len(number) != len("ORD-")+13 || strings.ToUpper(number) != number {
			t.Fatalf("%s is no number to quote", number)
		}
	})
}

func TestOnlyOneSpellingIsTheNumber(t *testing.T) {
	number := domain.OrderNumber("0000000a0011223344556677")
	// The last of 13 base32 digits has one bit more than 8 bytes need.
	alphabet := "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	last := strings.IndexByte(alphabet, number[len(number)-1])
	for i := range alphabet {
		other := number[:len(number)-1] + alphabet[i:i+1]
		if _, ok := domain.OrderIdentityOfNumber(other); ok && other != number && i>>1 == last>>1 {
			t.Errorf("%s leads to the order with number %s", other, number)
		}
	}
}

func TestMalformedOrderNumbers(t *testing.T) {
	for _, text := range []string{"", "ORD-", "ORD", "ord-00H248H25AXKE", "ORD-00H248H25AXK", "ORD-00H248H25AXKEE", "ORD-00H248H25AXK\n",
		"ORD-00H248H25AX\r\n", "ORD-IIIIIIIIIIIII", "00H248H25AXKE", "ORD-\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"} {
		if identity, ok := domain.OrderIdentityOfNumber(text); ok {
			t.Errorf("%q leads to %s", text, identity)
		}
	}
}

func TestTextsThatAreNoIDsHaveNoOrderNumber(t *testing.T) {
	for _, text := range []string{"", "short", "0123456789abcdef0123456", "zzzzzzzzzzzzzzzzzzzzzzzz", "an order of another system"} {
		if _, ok := domain.OrderIdentityOfNumber(domain.OrderNumber(text)); ok {
			t.Errorf("%q has an order number", text)
		}
	}
}

func TestPaymentIntentIDLeadsBackToThePayment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		orderID := rapid.OneOf(ids(), rapid.StringN(1, 50, -1), rapid.SampledFrom([]string{"x", "x:1", "pay_1", "A/b", "0123456789ABCDEF01234567"})).Draw(t, "order")
		intent := domain.PaymentIntentID(orderID)
		identity, ok := domain.PaymentIdentity(intent)
		if !ok || identity != domain.OrderIdentity(orderID) {
			t.Fatalf("order %q has payment %s, which leads to %q, %v; wanted %q", orderID, intent, identity, ok, domain.OrderIdentity(orderID))
		}
	})
}

func TestOrdersHaveDifferentPayments(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfNDistinct(rapid.OneOf(rapid.StringMatching(`[0-9a-f]{16}`), rapid.StringMatching(`x?:?[0-9a-f]{2}`), ids()), 2, 8, rapid.ID).Draw(t, "orders")
		intents := map[string]string{}
		for _, id := range texts {
			intent := domain.PaymentIntentID(id)
			if other, ok := intents[intent]; ok && domain.OrderIdentity(other) != domain.OrderIdentity(id) {
				t.Fatalf("orders %q and %q share payment %s", id, other, intent)
			}
			intents[intent] = id
		}
	})
}

func TestMalformedPaymentIntentIDs(t *testing.T) {
	// "YWJ" and "YWI" decode to the same two bytes; only the second is what encoding gives.
	for _, text := range []string{"", "pay_", "pay_x", "pay_0123", "pay_0123456789abcde", "pay_0123456789ABCDEF", "pay_0123456789abcdef0",
		"PAY_0123456789abcdef", "pi_0123456789abcdef", "pay_x***", "pay_xYWJ", "pay_xYW\nI", "pay_xYWI\r\n", "pay_xYWI=", "0123456789abcdef",
		"pay_x" + "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"} { // the last is one of our own ids in the form of others'
		if identity, ok := domain.PaymentIdentity(text); ok {
			t.Errorf("%q leads to %s", text, identity)
		}
	}
}

func FuzzIDs(f *testing.F) {
	for _, seed := range []string{"", "ORD-00H248H25AXKE", "pay_0123456789abcdef", "pay_xYWI", "0123456789abcdef01234567", "ORD-\n\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		domain.OrderNumber(text)
		if identity, ok := domain.OrderIdentityOfNumber(text); ok {
			if raw, err := hex.DecodeString(identity); err != nil || len(raw) != 8 || domain.OrderNumber("00000000"+identity) != text {
				t.Errorf("%q leads to %q", text, identity)
			}
		}
		if identity, ok := domain.PaymentIdentity(text); ok {
			orderID, foreign := strings.CutPrefix(identity, "x:")
			if !foreign {
				orderID = "00000000" + identity
			}
			if domain.PaymentIntentID(orderID) != text {
				t.Errorf("%q leads to %q, whose payment is %q", text, identity, domain.PaymentIntentID(orderID))
			}
		}
		domain.PaymentIntentID(text)
		if identity := domain.OrderIdentity(text); domain.IsID(text) == strings.HasPrefix(identity, "x:") {
			t.Errorf("%q has identity %q", text, identity)
		}
	})
}

func TestIDsOfOneInstantSortWithTheirTails(t *testing.T) {
	list := []string{domain.NewID(t0, [8]byte{3}), domain.NewID(t0, [8]byte{1}), domain.NewID(t0-1000, [8]byte{9}), domain.NewID(t0+1000, [8]byte{0})}
	slices.Sort(list)
	want := []string{domain.NewID(t0-1000, [8]byte{9}), domain.NewID(t0, [8]byte{1}), domain.NewID(t0, [8]byte{3}), domain.NewID(t0+1000, [8]byte{0})}
	if !slices.Equal(list, want) {
		t.Fatalf("sorted %v, wanted %v", list, want)
	}
}
