package cluster

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/queuecommerce/queuecommerce/storage"
)

// key names an entity.
type key struct{ kind, identity string }

// hash is the same in every process: members must agree on it. The kind does not matter, so that entities of one identity
// live together: an order and its payment, which talk to each other.
func (k key) hash() uint64 { return digest(k.identity) }

// digest is 64-bit FNV-1a. It spreads similar texts badly; mix makes up for that.
func digest(parts ...string) uint64 {
	h := uint64(14695981039346656037)
	for _, part := range parts {
		for i := range len(part) {
			h = (h ^ uint64(part[i])) * 1099511628211
		}
	}
	return h
}

// mix is the finaliser of MurmurHash3: each bit of the input changes half of the output.
func mix(h uint64) uint64 {
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// peer is one member. It is the same object in every view that has the member.
type peer struct {
	id      string
	hash    uint64
	door    *actor.PID
	waiting atomic.Int64 // inquiries of this process that it has not answered
}

func newPeer(lease storage.Lease) *peer {
	return &peer{id: lease.Member, hash: mix(digest(lease.Member, "@", lease.Addr)), door: actor.NewPID(lease.Addr, doorName(lease.Member))}
}

// view is the membership as this member knows it at one moment. It does not change.
type view struct {
	leases     []storage.Lease // all members, leaving ones too, by member id
	peers      map[string]*peer
	ring       ring
	past       []past        // the views before this one that may still have effects
	newborn    time.Time     // until then what others have active is not known from past: this member was not there
	superseded chan struct{} // closed when there is a newer one
}

// past is who owned what before.
type past struct {
	ring  ring
	until time.Time // its effects are over then
}

// ring are the members that own entities: by rendezvous, so that a change of one member moves no entity between others.
type ring []*peer

func (r ring) owner(k key) *peer {
	var best *peer
	var most uint64
	h := k.hash()
	for _, p := range r {
		if score := mix(p.hash ^ h); best == nil || score > most {
			best, most = p, score
		}
	}
	return best
}

// OwnerOf returns the member that an entity belongs to where these are the leases; empty if there is none. For whoever
// looks at a cluster from outside.
func OwnerOf(leases []storage.Lease, kind, identity string) string {
	v := emptyView().next(leases, time.Time{})
	if v == nil || len(v.ring) == 0 {
		return ""
	}
	return v.ring.owner(key{kind, identity}).id
}

// memory is how long a former owner may still have an entity active.
const memory = 10 * time.Second

// emptyView is what a member knows before it has seen the leases.
func emptyView() *view { return &view{superseded: make(chan struct{})} }

// next is the view that follows when these are the leases, sorted by member; nil: nothing has changed.
func (v *view) next(leases []storage.Lease, now time.Time) *view {
	if slices.EqualFunc(v.leases, leases, sameStanding) {
		return nil
	}
	n := &view{leases: leases, peers: make(map[string]*peer, len(leases)), newborn: v.newborn, superseded: make(chan struct{})}
	for _, lease := range leases {
		p := v.peers[lease.Member]
		if p == nil {
			p = newPeer(lease)
		}
		n.peers[p.id] = p
		if !lease.Leaving {
			n.ring = append(n.ring, p)
		}
	}
	if len(v.leases) == 0 {
		n.newborn = now.Add(memory)
		return n
	}
	for _, p := range v.past {
		if now.Before(p.until) {
			n.past = append(n.past, p)
		}
	}
	n.past = append(n.past, past{ring: v.ring, until: now.Add(memory)})
	return n
}

func sameStanding(a, b storage.Lease) bool { return a.Member == b.Member && a.Leaving == b.Leaving }

// owns says whether the member is the entity's owner.
func (v *view) owns(member string, k key) bool {
	owner := v.ring.owner(k)
	return owner != nil && owner.id == member
}

// formerOwners are the other members that may have the entity active. A newborn member does not know who owned what, so
// it is all of them.
func (v *view) formerOwners(k key, self string, now time.Time) []*peer {
	var former []*peer
	add := func(p *peer) {
		if p != nil && p.id != self && v.peers[p.id] != nil && !slices.Contains(former, p) {
			former = append(former, p)
		}
	}
	if now.Before(v.newborn) {
		for _, lease := range v.leases {
			add(v.peers[lease.Member])
		}
		return former
	}
	for _, p := range v.past {
		if now.Before(p.until) {
			add(p.ring.owner(k))
		}
	}
	return former
}
