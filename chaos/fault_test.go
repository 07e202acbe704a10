package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	mongooptions "go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/queuecommerce/queuecommerce/actors/gateway/gatewaytest"
)

const signalContinue = syscall.SIGCONT

// everyone stands for all members at once.
const everyone = -1

// fault is something that goes wrong from one moment to another.
type fault struct {
	kind       string
	begin, end time.Duration       // since the load began
	member     int                 // or everyone
	how        condition           // of links
	wrong      time.Duration       // of a clock
	steps      []gatewaytest.Step  // of the provider's calls
	calls      []gatewaytest.Fault // what happens to the next ones
}

func (f fault) String() string {
	text := fmt.Sprintf("%5.2fs to %5.2fs %-12s", f.begin.Seconds(), f.end.Seconds(), f.kind)
	if f.member == everyone {
		text += " everyone"
	} else {
		text += fmt.Sprintf(" member %d", f.member)
	}
	switch {
	case f.how != condition{}:
		text += " " + f.how.String()
	case f.wrong != 0:
		text += " by " + f.wrong.String()
	case len(f.calls) > 0:
		text += fmt.Sprintf(" %v: %v", f.steps, f.calls)
	}
	return text
}

func (c condition) String() string {
	switch {
	case c.hold:
		return "held"
	case c.cut:
		return "cut"
	case c.deaf:
		return "answers lost"
	case c.refuse:
		return "refused"
	}
	return "slow by " + c.delay.String()
}

// kind is one way in which the world breaks.
type kind struct {
	name string
	// touches names what two faults at one time must not both have; it is completed by the member.
	touches string
	weight  int
	draw    func(r *rand.Rand, f *fault)
	begin   func(w *world, f fault) error
	end     func(w *world, f fault) error
	// needs says whether the kind makes sense in a world with so many members.
	needs func(members int) bool
}

// kinds is every way in which the world breaks.
func kinds() []kind {
	return []kind{
		{name: "kill", touches: "process", weight: 4, draw: oneMember, begin: each((*member).kill), end: each((*member).start)},
		{name: "blackout", touches: "process", weight: 1, draw: allMembers, begin: each((*member).kill), end: each((*member).start)},
		{name: "freeze", touches: "process", weight: 4, draw: oneMember, begin: signalled(syscall.SIGSTOP), end: signalled(syscall.SIGCONT)},
		{name: "rolling", touches: "process", weight: 1, draw: allMembers, begin: rollingRestart, end: nothing},
		{name: "peer-cut", touches: "peer", weight: 3, draw: brokenLink, begin: peerLinks(true), end: peerLinks(false), needs: several},
		{name: "peer-slow", touches: "peer", weight: 1, draw: slowLinks(150), begin: peerLinks(true), end: peerLinks(false), needs: several},
		{name: "store-cut", touches: "store", weight: 3, draw: brokenLink, begin: storeLinks(true), end: storeLinks(false), needs: linked},
		{name: "store-deaf", touches: "store", weight: 2, draw: deafLinks, begin: storeLinks(true), end: storeLinks(false), needs: linked},
		{name: "store-frozen", touches: "store", weight: 1, draw: frozenLinks, begin: storeLinks(true), end: storeLinks(false), needs: linked},
		{name: "store-slow", touches: "store", weight: 1, draw: slowLinks(80), begin: storeLinks(true), end: storeLinks(false), needs: linked},
		{name: "store-primary", touches: "store", weight: 3, draw: allMembers, begin: stepDown, end: nothing, needs: func(int) bool { return services.replicated }},
		{name: "broker-cut", touches: "broker", weight: 2, draw: brokenLink, begin: brokerLinks(true), end: brokerLinks(false)},
		{name: "broker-slow", touches: "broker", weight: 1, draw: slowLinks(150), begin: brokerLinks(true), end: brokerLinks(false)},
		{name: "broker-kill", touches: "broker", weight: 1, draw: allMembers, begin: killBroker, end: startBroker,
			needs: func(int) bool { return services.ownBroker }},
		{name: "provider", touches: "provider", weight: 2, draw: failingCalls, begin: failCalls, end: func(w *world, _ fault) error { w.provider.Heal(); return nil }},
		{name: "provider-down", touches: "provider", weight: 1, draw: allMembers, begin: func(w *world, _ fault) error { w.provider.Down(); return nil },
			end: func(w *world, _ fault) error { w.provider.Up(); return nil }},
		{name: "clock", touches: "clock", weight: 2, draw: wrongClock, begin: clocks(1), end: clocks(0),
			needs: func(int) bool { return options.long || strings.Contains(options.faults, "clock") }}, // its build takes minutes
	}
}

func nothing(*world, fault) error { return nil }

func several(members int) bool { return members > 1 }
func linked(int) bool          { return !services.replicated }

// The draws. f.member comes in as one of the members.

func oneMember(*rand.Rand, *fault) {}

func allMembers(_ *rand.Rand, f *fault) { f.member = everyone }

func brokenLink(r *rand.Rand, f *fault) {
	f.how = []condition{{hold: true}, {cut: true}, {refuse: true}}[r.IntN(3)]
}

func deafLinks(r *rand.Rand, f *fault) {
	f.how = condition{deaf: true}
	if r.IntN(3) == 0 {
		f.member = everyone
	}
}

func frozenLinks(_ *rand.Rand, f *fault) { f.member, f.how = everyone, condition{hold: true} }

func slowLinks(most int) func(*rand.Rand, *fault) {
	return func(r *rand.Rand, f *fault) {
		f.how = condition{delay: time.Duration(10+r.IntN(most)) * time.Millisecond}
		if r.IntN(2) == 0 {
			f.member = everyone
		}
	}
}

func failingCalls(r *rand.Rand, f *fault) {
	f.member, f.steps = everyone, []gatewaytest.Step{gatewaytest.StepCreate, gatewaytest.StepConfirm, gatewaytest.StepCancel, gatewaytest.StepRefund}
	if only := r.IntN(2 * len(f.steps)); only < len(f.steps) {
		f.steps = f.steps[only : only+1]
	}
	moods := []gatewaytest.Fault{gatewaytest.LoseAnswer, gatewaytest.LoseAnswer, gatewaytest.Reset, gatewaytest.Unavailable, gatewaytest.RateLimited}
	for range 20 {
		f.calls = append(f.calls, moods[r.IntN(len(moods))])
	}
}

func wrongClock(r *rand.Rand, f *fault) {
	f.wrong = time.Duration(1+r.IntN(10)) * time.Second
	if r.IntN(4) == 0 {
		f.wrong *= 30
	}
	if r.IntN(2) == 0 {
		f.wrong = -f.wrong
	}
}

// The acts.

// affected are the members that the fault is about.
func (w *world) affected(f fault) []*member {
	if f.member == everyone {
		return w.members
	}
	return w.members[f.member : f.member+1]
}

func each(act func(*member) error) func(*world, fault) error {
	return func(w *world, f fault) error {
		var faults []error
		for _, m := range w.affected(f) {
			faults = append(faults, act(m))
		}
		return errors.Join(faults...)
	}
}

func signalled(s syscall.Signal) func(*world, fault) error {
	return each(func(m *member) error { m.signal(s); return nil })
}

func clocks(times int) func(*world, fault) error {
	return func(w *world, f fault) error {
		return each(func(m *member) error { return m.setClock(time.Duration(times) * f.wrong) })(w, f)
	}
}

func (w *world) setLinks(links []*link, f fault, broken bool) error {
	how := condition{}
	if broken {
		how = f.how
	}
	var faults []error
	for n, l := range links {
		if f.member == everyone || f.member == n {
			faults = append(faults, l.set(how))
		}
	}
	return errors.Join(faults...)
}

func peerLinks(broken bool) func(*world, fault) error {
	return func(w *world, f fault) error { return w.setLinks(w.toPeer, f, broken) }
}

func storeLinks(broken bool) func(*world, fault) error {
	return func(w *world, f fault) error { return w.setLinks(w.toStore, f, broken) }
}

func brokerLinks(broken bool) func(*world, fault) error {
	return func(w *world, f fault) error { return w.setLinks(w.toBroker, f, broken) }
}

func failCalls(w *world, f fault) error {
	for _, step := range f.steps {
		w.provider.Inject(step, f.calls...)
	}
	return nil
}

// rollingRestart restarts one member after the other, each when the one before it is ready. One that does not end in
// order, because something else is broken too, is killed.
func rollingRestart(w *world, f fault) error {
	for _, m := range w.affected(f) {
		if m.terminate(15*time.Second) != nil {
			if err := m.kill(); err != nil {
				return err
			}
		}
		if err := m.start(); err != nil {
			return err
		}
		within(10*time.Second, func() bool { return m.ready(context.Background()) == nil })
	}
	return nil
}

func killBroker(w *world, _ fault) error {
	w.breaking.Lock()
	return attempt(w.t, services.broker.Kill)
}

func startBroker(w *world, _ fault) error {
	defer w.breaking.Unlock()
	return attempt(w.t, services.broker.Start)
}

// stepDown makes the replica set choose another primary.
func stepDown(w *world, _ fault) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	client, err := mongo.Connect(mongooptions.Client().ApplyURI(services.store.URI()))
	if err != nil {
		return err
	}
	err = client.Database("admin").RunCommand(ctx, bson.D{{Key: "replSetStepDown", Value: 10}, {Key: "force", Value: true}}).Err()
	return errors.Join(err, client.Disconnect(ctx))
}

// chosen are the kinds that a world with so many members can have, of those that are named; none named: all.
func chosen(names string, members int) (list []kind, err error) {
	wanted := map[string]bool{}
	for name := range strings.SplitSeq(names, ",") {
		wanted[name] = name != ""
	}
	for _, k := range kinds() {
		if (names == "" || wanted[k.name]) && (k.needs == nil || k.needs(members)) {
			list = append(list, k)
		}
		delete(wanted, k.name)
	}
	delete(wanted, "")
	if len(wanted) > 0 || len(list) == 0 {
		return nil, fmt.Errorf("no such faults here: %q", names)
	}
	return list, nil
}
