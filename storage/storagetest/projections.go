package storagetest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
)

var saveRules = []rule{
	{"a projection comes back without its documents", proveSnapshot},
	{"only a newer version changes anything", proveNewerWins},
	{"the newest of parallel versions stays, whatever their order", proveParallelSaves},
	{"one call may hold versions of one stream in any order", proveVersionsInOneCall},
	{"the mark moves with the projections and never back", proveSaveMark},
	{"a mark may move without projections", proveBareMark},
	{"a document is replaced by collection and id", proveDocumentReplaced},
	{"hundreds of projections in one call", proveManyProjections},
}

func wantSnapshot(t *testing.T, s storage.Projections, want storage.Projection) {
	t.Helper()
	got, err := s.Snapshot(ctx(t), want.Stream)
	if err != nil {
		t.Fatalf("snapshot %s: %v", want.Stream, err)
	}
	if got.Stream != want.Stream || got.Version != want.Version || !bytes.Equal(got.Snapshot, want.Snapshot) ||
		!got.Due.Equal(want.Due) || got.Due.IsZero() != want.Due.IsZero() || len(got.Documents) != 0 {
		t.Fatalf("got %+v, want %+v without documents", got, want)
	}
}

func orderDocument(n int, status string) storage.Document {
	return storage.Document{
		Collection: storage.Orders, ID: idOf(n), Created: after0(n), Status: status,
		Customer: "customer-1", External: fmt.Sprintf("ORD-%013d", n),
		Body: fmt.Appendf(nil, `{"_id":%q,"status":%q,"total":%d,"createdAt":"2025-03-14T09:26:53.589Z"}`, idOf(n), status, n*100),
	}
}

func proveSnapshot(t *testing.T, s storage.Store) {
	full := storage.Projection{
		Stream: stream, Version: 4, Snapshot: []byte(`{"status":"pending"}`), Due: t0,
		Documents: []storage.Document{orderDocument(1, "pending")},
	}
	bare := storage.Projection{Stream: "claim/sku/A", Version: 1}
	save(t, s, full, bare)
	wantSnapshot(t, s, full)
	wantSnapshot(t, s, bare)
	if _, err := s.Snapshot(ctx(t), "order/unknown"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("unknown stream: got %v, want ErrNotFound", err)
	}
}

func proveNewerWins(t *testing.T, s storage.Store) {
	at := func(version uint64, status string) storage.Projection {
		return storage.Projection{
			Stream: stream, Version: version, Snapshot: []byte(status), Due: after0(int(version)),
			Documents: []storage.Document{orderDocument(1, status)},
		}
	}
	for _, step := range []struct {
		version uint64
		status  string
		want    storage.Projection
	}{
		{5, "pending", at(5, "pending")},
		{4, "older", at(5, "pending")},
		{5, "same", at(5, "pending")},
		{6, "confirmed", at(6, "confirmed")},
		{1, "oldest", at(6, "confirmed")},
	} {
		save(t, s, at(step.version, step.status))
		wantSnapshot(t, s, step.want)
		got, err := s.Get(ctx(t), storage.Orders, idOf(1))
		if err != nil {
			t.Fatal(err)
		}
		wantDocument(t, got, step.want.Documents[0])
	}
	// One without a snapshot moves the version and the deadline, and leaves the stored snapshot.
	save(t, s, storage.Projection{Stream: stream, Version: 7})
	wantSnapshot(t, s, storage.Projection{Stream: stream, Version: 7, Snapshot: at(6, "confirmed").Snapshot})
}

func proveParallelSaves(t *testing.T, s storage.Store) {
	const rounds = 10
	for round := range rounds {
		together(func(racer int) {
			version := uint64(round*racers + 1 + (racer*7)%racers)
			status := fmt.Sprint("v", version)
			err := s.Save(ctx(t), []storage.Projection{{
				Stream: stream, Version: version, Snapshot: []byte(status),
				Documents: []storage.Document{orderDocument(1, status)},
			}}, "", 0)
			if err != nil {
				t.Errorf("save: %v", err)
			}
		})
		newest := uint64((round + 1) * racers)
		status := fmt.Sprint("v", newest)
		wantSnapshot(t, s, storage.Projection{Stream: stream, Version: newest, Snapshot: []byte(status)})
		got, err := s.Get(ctx(t), storage.Orders, idOf(1))
		if err != nil {
			t.Fatal(err)
		}
		wantDocument(t, got, orderDocument(1, status))
		wantIDs(t, "list by the newest status",
			list(t, s, storage.Filter{Collection: storage.Orders, Status: status}, storage.Position{}, 0, 10), idOf(1))
	}
}

func proveVersionsInOneCall(t *testing.T, s storage.Store) {
	var projections []storage.Projection
	for _, version := range []uint64{2, 5, 3, 1, 4} {
		status := fmt.Sprint("v", version)
		projections = append(projections, storage.Projection{
			Stream: stream, Version: version, Snapshot: []byte(status),
			Documents: []storage.Document{orderDocument(1, status)},
		})
	}
	save(t, s, projections...)
	wantSnapshot(t, s, storage.Projection{Stream: stream, Version: 5, Snapshot: []byte("v5")})
	got, err := s.Get(ctx(t), storage.Orders, idOf(1))
	if err != nil {
		t.Fatal(err)
	}
	wantDocument(t, got, orderDocument(1, "v5"))
}

func proveSaveMark(t *testing.T, s storage.Store) {
	enlist(t, s, writer, "member-2")
	for _, step := range []struct{ mark, want uint64 }{{3, 3}, {0, 3}, {2, 3}, {8, 8}} {
		p := storage.Projection{Stream: stream, Version: 10 + step.mark}
		if err := s.Save(ctx(t), []storage.Projection{p}, writer, step.mark); err != nil {
			t.Fatalf("save with mark %d: %v", step.mark, err)
		}
		wantMarks(t, s, storage.Marks{Writer: writer, Projected: step.want}, storage.Marks{Writer: "member-2"})
	}
}

func proveBareMark(t *testing.T, s storage.Store) {
	enlist(t, s, writer)
	if err := s.Save(ctx(t), nil, writer, 4); err != nil {
		t.Fatalf("save: %v", err)
	}
	wantMarks(t, s, storage.Marks{Writer: writer, Projected: 4})
	if err := s.Save(ctx(t), nil, "", 0); err != nil {
		t.Fatalf("save of nothing: %v", err)
	}
}

func proveDocumentReplaced(t *testing.T, s storage.Store) {
	before := storage.Document{
		Collection: storage.Payments, ID: idOf(1), Created: t0, Status: "pending", Customer: "c1", Order: "o1",
		External: "pi_1", Body: []byte(`{"_id":"1","status":"pending"}`),
	}
	sameID := orderDocument(1, "pending")
	saveDocuments(t, s, 1, before, sameID)
	after := before
	after.Created, after.Status, after.Customer, after.Order, after.External =
		after0(5), "succeeded", "c2", "o2", "pi_2"
	after.Body = []byte(`{"_id":"1","status":"succeeded"}`)
	saveDocuments(t, s, 2, after)
	got, err := s.Get(ctx(t), storage.Payments, idOf(1))
	if err != nil {
		t.Fatal(err)
	}
	wantDocument(t, got, after)
	f := storage.Filter{Collection: storage.Payments}
	for _, old := range []storage.Filter{{Status: "pending"}, {Customer: "c1"}, {Order: "o1"}, {External: "pi_1"}} {
		old.Collection = f.Collection
		wantIDs(t, fmt.Sprintf("list by old %+v", old), list(t, s, old, storage.Position{}, 0, 10))
	}
	for _, now := range []storage.Filter{{Status: "succeeded"}, {Customer: "c2"}, {Order: "o2"}, {External: "pi_2"}} {
		now.Collection = f.Collection
		wantIDs(t, fmt.Sprintf("list by new %+v", now), list(t, s, now, storage.Position{}, 0, 10), idOf(1))
	}
	other, err := s.Get(ctx(t), storage.Orders, idOf(1))
	if err != nil {
		t.Fatal(err)
	}
	wantDocument(t, other, sameID)
}

func proveManyProjections(t *testing.T, s storage.Store) {
	const many = 500
	for version := uint64(1); version <= 2; version++ {
		var documents []storage.Document
		for n := range many {
			documents = append(documents, orderDocument(n, fmt.Sprint("v", version)))
		}
		saveDocuments(t, s, version, documents...)
	}
	f := storage.Filter{Collection: storage.Orders, Status: "v2"}
	if got := list(t, s, f, storage.Position{}, 0, 2*many); len(got) != many {
		t.Fatalf("got %d documents, want %d", len(got), many)
	}
}

var dueRules = []rule{
	{"streams come soonest first, none after the instant, at most limit", proveDue},
	{"a later projection moves or clears the deadline", proveDueMoves},
}

func due(t *testing.T, s storage.Projections, at time.Time, limit int) []storage.Stream {
	t.Helper()
	streams, err := s.Due(ctx(t), at, limit)
	if err != nil {
		t.Fatalf("due: %v", err)
	}
	return streams
}

func wantDue(t *testing.T, got []storage.Stream, want ...storage.Stream) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("got due %q, want %q", got, want)
	}
}

func proveDue(t *testing.T, s storage.Store) {
	save(t, s,
		storage.Projection{Stream: "order/c", Version: 1, Due: after0(30)},
		storage.Projection{Stream: "order/a", Version: 1, Due: after0(10)},
		storage.Projection{Stream: "order/never", Version: 1},
		storage.Projection{Stream: "payment/b", Version: 1, Due: after0(20)},
		storage.Projection{Stream: "order/past", Version: 1, Due: time.UnixMilli(1).UTC()},
	)
	wantDue(t, due(t, s, after0(9), 10), "order/past")
	wantDue(t, due(t, s, after0(10), 10), "order/past", "order/a")
	wantDue(t, due(t, s, after0(29), 10), "order/past", "order/a", "payment/b")
	wantDue(t, due(t, s, after0(1000), 10), "order/past", "order/a", "payment/b", "order/c")
	wantDue(t, due(t, s, after0(1000), 2), "order/past", "order/a")
}

func proveDueMoves(t *testing.T, s storage.Store) {
	save(t, s,
		storage.Projection{Stream: "order/a", Version: 1, Due: after0(10)},
		storage.Projection{Stream: "order/b", Version: 1, Due: after0(20)})
	save(t, s, storage.Projection{Stream: "order/a", Version: 2, Due: after0(30)})
	wantDue(t, due(t, s, after0(25), 10), "order/b")
	wantDue(t, due(t, s, after0(30), 10), "order/b", "order/a")
	save(t, s, storage.Projection{Stream: "order/b", Version: 2})
	wantDue(t, due(t, s, after0(30), 10), "order/a")
	save(t, s, storage.Projection{Stream: "order/a", Version: 1})
	wantDue(t, due(t, s, after0(30), 10), "order/a")
}
