package actors

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/actors/product"
)

// soldOften is a product that remembers so many orders.
func soldOften(orders int) *loaded {
	p := newProduct(&Host{}, "LAMP")
	p.state = product.State{Version: 7_000_000, Exists: true, Entry: product.Created{ID: "0000000a0011223344556677", ProductID: "LAMP", Name: "Desk lamp", At: 1_700_000_000_000},
		UpdatedAt: 1_700_000_000_000, ClaimedSKU: "SKU-LAMP", Orders: make(map[string]product.Demand)}
	for i := range orders {
		p.state.Orders[fmt.Sprintf("%024x", uint64(i)*0x9e3779b97f4a7c15)] = product.Demand{Standing: product.StandingTaken, Quantity: 2, Since: 1_700_000_000_000}
	}
	return &loaded{entity: p, version: p.state.Version}
}

// A snapshot is what encoding/json makes of the form that it is read back as: that of an older version can be read, and an
// older version can read it.
func TestSnapshotForm(t *testing.T) {
	for _, inbox := range []map[string]receipt{nil, {}, {"k2": {Version: 3}, "k1": {Version: 2, Fingerprint: "f"}}} {
		l := soldOften(10)
		l.inbox = inbox
		state, err := json.Marshal(l.entity.(*productEntity).state)
		require.NoError(t, err)
		want, err := json.Marshal(stored{Version: l.version, Inbox: inbox, State: state})
		require.NoError(t, err)
		require.Equal(t, string(want), string(l.snapshot()))

		again := loaded{entity: newProduct(&Host{}, "LAMP")}
		require.NoError(t, again.restore(want))
		require.Equal(t, l.entity.(*productEntity).state, again.entity.(*productEntity).state)
		require.Equal(t, l.version, again.version)
		require.Len(t, again.inbox, len(inbox))
	}
}

func BenchmarkSnapshot(b *testing.B) {
	for _, orders := range []int{4_000, 90_000} {
		l := soldOften(orders)
		b.Run(fmt.Sprint(orders, " orders"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				b.SetBytes(int64(len(l.snapshot())))
			}
		})
	}
}
