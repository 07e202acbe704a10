package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"
)

// schedule is what goes wrong in a run, in order of its beginning.
type schedule []fault

func (s schedule) String() string {
	var text strings.Builder
	for _, f := range s {
		fmt.Fprintln(&text, f)
	}
	return text.String()
}

// summary counts the kinds.
func (s schedule) summary() string {
	count := map[string]int{}
	var names []string
	for _, f := range s {
		if count[f.kind]++; count[f.kind] == 1 {
			names = append(names, f.kind)
		}
	}
	for i, name := range names {
		if count[name] > 1 {
			names[i] = fmt.Sprintf("%s x%d", name, count[name])
		}
	}
	return strings.Join(names, ", ")
}

const (
	quietStart  = 800 * time.Millisecond // before the first fault
	shortest    = 200 * time.Millisecond
	longest     = 5 * time.Second
	widestPause = 1800 * time.Millisecond // between the beginnings of two faults
)

// drawSchedule draws faults of the kinds for a run of that length. It depends on nothing else.
func drawSchedule(seed uint64, length time.Duration, members int, of []kind) (s schedule) {
	r := rand.New(rand.NewPCG(seed, 0xfa17))
	total := 0
	for _, k := range of {
		total += k.weight
	}
	for at := quietStart; at < length-shortest; at += time.Duration(r.Int64N(int64(widestPause))) {
		k := pick(of, r.IntN(total))
		lasts := shortest + time.Duration(r.Int64N(int64(min(longest, length/3))))
		f := fault{kind: k.name, begin: at.Truncate(time.Millisecond), end: min(at+lasts, length).Truncate(time.Millisecond), member: r.IntN(members)}
		k.draw(r, &f)
		if !slices.ContainsFunc(s, func(other fault) bool { return clash(f, other, of) }) {
			s = append(s, f)
		}
	}
	return s
}

func pick(of []kind, ticket int) kind {
	for _, k := range of {
		if ticket -= k.weight; ticket < 0 {
			return k
		}
	}
	panic("the ticket is not below the sum of the weights")
}

// clash says whether two faults would undo each other.
func clash(a, b fault, of []kind) bool {
	touches := func(f fault) string {
		return of[slices.IndexFunc(of, func(k kind) bool { return k.name == f.kind })].touches
	}
	apart := a.end <= b.begin || b.end <= a.begin
	if a.kind == "rolling" || b.kind == "rolling" {
		apart = false // how long it takes is not known
	}
	return !apart && touches(a) == touches(b) && (a.member == b.member || a.member == everyone || b.member == everyone)
}

// perform makes the faults happen and ends them, and returns when all have ended. ctx ends it early.
func (w *world) perform(ctx context.Context, s schedule) {
	act := map[string]kind{}
	for _, k := range kinds() {
		act[k.name] = k
	}
	began := time.Now()
	reached := func(moment time.Duration) {
		select {
		case <-time.After(moment - time.Since(began)):
		case <-ctx.Done():
		}
	}
	var all sync.WaitGroup
	for _, f := range s {
		all.Go(func() {
			reached(f.begin)
			w.grumble(act[f.kind].begin(w, f))
			reached(f.end)
			w.grumble(act[f.kind].end(w, f))
		})
	}
	all.Wait()
}
