package verify_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"time"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/product"
	"github.com/queuecommerce/queuecommerce/storage"
)

// members share a shop's entities. Each has a clock of its own, which may be wrong, and jump.
type members struct {
	random  *rand.Rand
	settled bool // nothing moves from one to another
	running []string
	gone    []string // enlisted still
	ahead   map[string]time.Duration
	owner   map[storage.Stream]string
	decided map[storage.Stream]domain.Time // when, by the right clock
}

func (s *shop) joinMembers(count int) *members {
	s.members = &members{random: s.random, ahead: map[string]time.Duration{}, owner: map[storage.Stream]string{}, decided: map[storage.Stream]domain.Time{}}
	for range count {
		s.members.join()
	}
	return s.members
}

func (m *members) join() {
	name := fmt.Sprintf("member-%d", len(m.running)+len(m.gone)+1)
	m.running, m.ahead[name] = append(m.running, name), 0
}

// crash ends a member; another one takes its place. What it had goes to whoever is there.
func (m *members) crash() {
	i := m.random.IntN(len(m.running))
	dead := m.running[i]
	m.running, m.gone = slices.Delete(m.running, i, i+1), append(m.gone, dead)
	m.join()
	maps.DeleteFunc(m.owner, func(_ storage.Stream, member string) bool { return member == dead })
}

// turnClock puts one clock forward or back. No two are further apart than an hour and a half.
func (m *members) turnClock() {
	offsets := []time.Duration{-45 * time.Minute, -20 * time.Minute, 0, 0, 20 * time.Minute, 45 * time.Minute}
	m.ahead[m.running[m.random.IntN(len(m.running))]] = offsets[m.random.IntN(len(offsets))]
}

// marksOf are the marks of members that have published and projected everything.
func marksOf(entries []storage.Entry) []storage.Marks {
	var marks []storage.Marks
	for _, e := range entries {
		i := slices.IndexFunc(marks, func(m storage.Marks) bool { return m.Writer == e.Writer })
		if i < 0 {
			i = len(marks)
			marks = append(marks, storage.Marks{Writer: e.Writer})
		}
		marks[i].Relayed, marks[i].Projected = e.Number, e.Number
	}
	return marks
}

// decider is the member that has the entity, and how far its clock is ahead.
func (s *shop) decider(stream storage.Stream) (writer string, ahead time.Duration) {
	m := s.members
	if m == nil {
		return s.writer, 0
	}
	if m.owner[stream] == "" || (!m.settled && m.random.IntN(200) == 0) {
		m.owner[stream] = m.running[m.random.IntN(len(m.running))]
	}
	m.decided[stream] = s.now
	return m.owner[stream], m.ahead[m.owner[stream]]
}

// clockModes are how a shop's clocks may be.
var clockModes = map[string]func(s *shop){
	"one that is right": func(*shop) {},
	"one that jumps":    func(s *shop) { s.jump = time.Hour },
	"three that differ": func(s *shop) {
		m := s.joinMembers(3)
		m.settled = true
		for i, id := range []string{"anvil", "bolt", "crate"} {
			m.owner[storage.StreamOf("product", id)] = m.running[i]
			m.ahead[m.running[i]] = time.Duration(i-1) * 5 * time.Minute
		}
	},
}

// goOn lets a few minutes go by, in which every member has something to do.
func (s *shop) goOn() {
	s.t.Helper()
	for range 15 {
		s.pass(20 * time.Second)
		for _, id := range []string{"anvil", "bolt", "crate"} {
			_ = s.product(id, product.Adjust{MovementID: s.newID(), Delta: 1, Reason: "found", At: s.now}) // may be refused
		}
	}
}

// clock is what the clock of the entity's member says.
func (s *shop) clock(kind, identity string) domain.Time {
	if s.members == nil {
		return s.now
	}
	return s.now.Add(s.members.ahead[s.members.owner[storage.StreamOf(kind, identity)]])
}

// quiet is for how long nobody has asked anything of the entity.
func (s *shop) quiet(stream storage.Stream, updated domain.Time) time.Duration {
	if s.members != nil {
		updated = s.members.decided[stream]
	}
	return time.Duration(s.now-updated) * time.Millisecond
}

// stamped is the command with the clock of the member that decides on it.
func stamped[C any](command C, ahead time.Duration) C {
	inside := reflect.ValueOf(&command).Elem()
	if ahead == 0 || inside.Kind() != reflect.Interface {
		return command
	}
	shifted := reflect.New(inside.Elem().Type()).Elem()
	shifted.Set(inside.Elem())
	shift(shifted, ahead)
	inside.Set(shifted)
	return command
}

func shift(v reflect.Value, ahead time.Duration) {
	for i := range v.NumField() {
		field := v.Field(i)
		if at, ok := field.Interface().(domain.Time); ok && v.Type().Field(i).Name == "At" {
			field.Set(reflect.ValueOf(at.Add(ahead)))
		} else if field.Kind() == reflect.Struct {
			shift(field, ahead)
		}
	}
}
