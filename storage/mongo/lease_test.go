package mongo

import (
	"errors"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/storagetest"
)

func leasesOf(t *testing.T, s *Store) storage.Leases {
	t.Helper()
	l, err := s.Leases()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLeases(t *testing.T) {
	storagetest.RunLeases(t, func(t *testing.T) storage.Leases {
		s := open(t, server.URI(), server.Prefix(t))
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		return leasesOf(t, s)
	})
}

func TestLeasesEndWithTheirStore(t *testing.T) {
	s := open(t, server.URI(), server.Prefix(t))
	l := leasesOf(t, s)
	mustJoin(t, l)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Renew(t.Context(), member.Member, leaseTTL); !errors.Is(err, ErrClosed) {
		t.Errorf("renew after close: got %v, want ErrClosed", err)
	}
	if _, err := s.Leases(); !errors.Is(err, ErrClosed) {
		t.Errorf("leases after close: got %v, want ErrClosed", err)
	}
}

func TestEvictedMembersAreForgottenAfterADay(t *testing.T) {
	s, _ := openTwo(t)
	l := leasesOf(t, s)
	now := time.Now()
	for id, document := range map[string]leaseDocument{
		"old":       {Expires: now.Add(-evictedFor - time.Hour), Evicted: true},
		"young":     {Expires: now.Add(-evictedFor + time.Hour), Evicted: true},
		"abandoned": {Expires: now.Add(-2 * evictedFor)},
	} {
		document.Member = id
		if _, err := s.leases.members.InsertOne(t.Context(), document); err != nil {
			t.Fatal(err)
		}
	}
	mustJoin(t, l)
	for id, want := range map[string]int64{"old": 0, "young": 1, "abandoned": 1, member.Member: 1} {
		got, err := s.leases.members.CountDocuments(t.Context(), bson.D{{Key: keyID, Value: id}})
		if err != nil || got != want {
			t.Errorf("%s: got %d documents, %v, want %d", id, got, err, want)
		}
	}
}
