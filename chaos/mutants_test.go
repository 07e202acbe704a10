package chaos

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// mutant is the program with one promise taken out of it.
type mutant struct {
	name   string
	breaks string // which promise, as docs/guarantees.md numbers it
	edits  []edit
	faults string // kinds that bring it to light
	rules  []rule // of which one has to be violated
}

// mutantRuns is within how many runs a mutant has to be caught.
const mutantRuns = 20

// mutants are the broken programs.
func mutants() []mutant {
	return []mutant{
		{
			name: "refund-key", breaks: "G5: a refund's key is made of payment and step alone",
			edits: []edit{{"actors/charge.go", `	return s.PaymentIntentID() + "-" + taskName(work, number)`,
				`	key := s.PaymentIntentID() + "-" + taskName(work, number)
	if work == payment.WorkRefund {
		key += strconv.FormatInt(time.Now().UnixNano(), 36)
	}
	return key`}},
			faults: "provider", rules: []rule{ruleMoney},
		},
		{
			name: "dedupe", breaks: "G9: a command that was executed is not executed again",
			edits:  []edit{{"actors/grain.go", `if known, ok := g.inbox[m.GetId()]; ok && m.GetId() != "" {`, `if known, ok := g.inbox[m.GetId()]; ok && m.GetId() == "" {`}},
			faults: "kill,freeze,store-deaf,store-slow", rules: []rule{ruleStock, ruleLinear, ruleMoney, ruleAnswers},
		},
		{
			name: "fence", breaks: "G1: an append whose place is taken by another writer's fails",
			edits: []edit{{"storage/mongo/append.go", "	return storage.ErrConflict\n}\n\nfunc describe(", "	return nil\n}\n\nfunc describe("}},
			// A member that can't be reached, or was frozen, meets the one that has taken its place.
			faults: "freeze,peer-cut,store-cut", rules: []rule{ruleStock, ruleLinear, ruleMoney, ruleAnswers, ruleEnds, ruleEvents, ruleVerify},
		},
		{
			name: "early-answer", breaks: "G2: what is answered is durable",
			edits: []edit{{"actors/grain.go", "	g.host.committer.submit(b)\n",
				"	g.send(b)\n	b.replies = nil\n	g.host.committer.submit(b)\n"}},
			faults: "kill,blackout,store-cut,store-frozen", rules: []rule{ruleAnswers, ruleStock, ruleLinear, ruleEnds},
		},
		{
			name: "early-mark", breaks: "G7: the relayed mark covers only what the broker has confirmed",
			edits: []edit{{"bridge/session.go", "	o.confirm, o.sent = confirm, time.Now()\n",
				"	o.confirm, o.sent = confirm, time.Now()\n	if o.covers != 0 {\n		s.relay.marks.reach(o.writer, o.covers)\n	}\n"}},
			faults: "broker-cut,broker-kill,kill,blackout", rules: []rule{ruleEvents},
		},
		{
			name: "left-behind", breaks: "G7: what a member that is gone has not relayed, another one relays",
			edits:  []edit{{"bridge/adoption.go", "	if len(first) > 0 {\n		if !d.left {", "	if len(first) > 0 && d == nil {\n		if !d.left {"}},
			faults: "broker-cut,kill,blackout", rules: []rule{ruleEvents},
		},
		{
			name: "overtaking", breaks: "G7: an entity's events leave in their order, also when it has moved",
			edits:  []edit{{"bridge/supply.go", "complete, err := s.precede(ctx, e)", "complete, err := true, error(nil)"}},
			faults: "broker-cut,kill,freeze,rolling", rules: []rule{ruleEvents},
		},
	}
}

// TestMutantsAreCaught wants every mutant to be caught. Without -chaos.long one is enough to see that the suite can fail.
func TestMutantsAreCaught(t *testing.T) {
	names := options.mutants
	if names == "" && !options.long {
		names = "refund-key"
	}
	found := 0
	for _, m := range mutants() {
		if names != "" && !slices.Contains(strings.Split(names, ","), m.name) {
			continue
		}
		found++
		t.Run(m.name, func(t *testing.T) { m.wantCaught(t) })
	}
	require.NotZero(t, found, "no mutant has one of the names %s", names)
}

func (m mutant) wantCaught(t *testing.T) {
	program := services.builds.program(t, m.edits...)
	for n := range mutantRuns {
		p := faulty(t, program, options.seed+uint64(n), m.faults)
		p.patience = 30 * time.Second
		caught := ""
		t.Run(fmt.Sprintf("seed %d", p.seed), func(t *testing.T) {
			r := run(t, p)
			t.Log(r.line())
			for _, v := range r.violations {
				if slices.Contains(m.rules, v.rule) {
					caught = v.String()
					break
				}
			}
		})
		if caught != "" {
			t.Logf("%s (%s) is caught in run %d: %s", m.name, m.breaks, n+1, caught)
			return
		}
	}
	t.Errorf("%s is not caught in %d runs: %s", m.name, mutantRuns, m.breaks)
}
