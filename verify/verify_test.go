package verify_test

import (
	"testing"

	"github.com/queuecommerce/queuecommerce/actors/claim"
	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/actors/payment"
	"github.com/queuecommerce/queuecommerce/actors/product"
	"github.com/queuecommerce/queuecommerce/actors/webhook"
	"github.com/queuecommerce/queuecommerce/verify"
)

func check(t testing.TB, store verify.Store, opts verify.Options) verify.Report {
	t.Helper()
	report, err := verify.Run(t.Context(), store, opts)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func clean(t testing.TB, store verify.Store, opts verify.Options) verify.Report {
	t.Helper()
	report := check(t, store, opts)
	if !report.OK() {
		t.Fatalf("a journal of the real rules has violations:\n%s", report)
	}
	return report
}

func TestCompleteShopIsClean(t *testing.T) {
	s := completeShop(t, 0)
	seen := map[string]bool{}
	for _, e := range s.entries {
		for _, event := range e.Events {
			seen[event.Type] = true
		}
	}
	for _, types := range [][]string{order.Codec.Types(), product.Codec.Types(), payment.Codec.Types(), claim.Codec.Types(), webhook.Codec.Types()} {
		for _, event := range types {
			if !seen[event] {
				t.Errorf("the complete shop has no %s", event)
			}
		}
	}
	report := clean(t, s.store(), verify.Options{})
	t.Logf("\n%s", report)
	if got := report.Entries; got != int64(len(s.entries)) {
		t.Errorf("%d entries, want %d", got, len(s.entries))
	}
}
