package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// measured is a run in which QueueCommerce is twice as fast as for-update, and exactly as fast as one-statement.
func measured() []Record {
	records := []Record{{Part: partConditions, Conditions: &Conditions{Commit: "abc1234", Cores: 2}}}
	add := func(r Record) { records = append(records, r) }
	for pair, rate := range []float64{2000, 1000, 3000} {
		compare := func(system string, rate, cpu float64) {
			add(Record{Part: partCompare, Workload: many.name, Clients: usual, Pair: pair, System: system, PerSecond: rate, CPU: cpu, PerOrder: Counts{Commits: 0.25}})
		}
		compare("for-update", rate/2, 800)
		compare(ours, rate, 400)
		compare("one-statement", rate, 200)
		hot := func(system string, rate float64) {
			add(Record{Part: partCompare, Workload: hot.name, Clients: usual, Pair: pair, System: system, PerSecond: rate})
		}
		hot(ours, rate)
		hot("for-update", rate/6)
		hot("conditional", rate/4) // the best one
		add(Record{Part: partEngine, Pair: pair, System: ours, PerSecond: rate, PerOrder: Counts{Appends: 7}})
		add(Record{Part: partEngine, Pair: pair, System: "storage engine", PerSecond: rate * 10, Batch: 12})
	}
	add(Record{Part: partPaced, System: ours, Workload: many.name, Share: 50, Rate: 1000, P99: 12.5})
	add(Record{Part: partFloor, System: emptyHandler, Workload: floorOrders, Share: 50, Rate: 1000, PerSecond: 999, P99: 4.5})
	return records
}

func verdict(t *testing.T, goals []goal, beginning string) goal {
	t.Helper()
	for _, g := range goals {
		if strings.HasPrefix(g.What, beginning) {
			return g
		}
	}
	require.Fail(t, "no goal begins with "+beginning)
	return goal{}
}

func TestGoals(t *testing.T) {
	goals := goalsOf(measured())
	for beginning, want := range map[string]goal{
		"many products, 32 clients: at least 1.5 times the orders per second of for-update":  {Verdict: "met", Measured: "2.00 times"},
		"many products, 32 clients: at least 1.5 times the orders per second of conditional": {Verdict: "not measured"},
		"many products, 32 clients: more than the orders per second of one-statement":        {Verdict: "not met", Measured: "1.00 times"},
		"many products, 32 clients: no more CPU per order than for-update":                   {Verdict: "met", Measured: "0.50 times"},
		"many products, 32 clients: no more CPU per order than one-statement":                {Verdict: "not met", Measured: "2.00 times"},
		"one hot product, 32 clients":  {Verdict: "not met", Measured: "4.00 times conditional"},
		"one hot product, 128 clients": {Verdict: "not measured"},
		"p99 of POST /orders at half":  {Verdict: "not met", Measured: "12.5 ms; of a handler that does nothing, at the same rate, 4.5"},
		"at least 60 % of the appends": {Verdict: "met", Measured: "70 %"},
		"throughput falls":             {Verdict: "not measured"},
	} {
		got := verdict(t, goals, beginning)
		assert.Equal(t, want.Verdict, got.Verdict, beginning)
		assert.Equal(t, want.Measured, got.Measured, beginning)
	}
}

func TestReportShowsMediansAndEachRatio(t *testing.T) {
	text, err := render(measured(), []string{"throughput-many.svg"})
	require.NoError(t, err)
	assert.Contains(t, text, "abc1234")
	assert.Contains(t, text, "1000 products, one line, 32 clients")
	ours := lineWith(t, text, "| queuecommerce | 2000 |")
	assert.Contains(t, ours, "| 0.25 |", "commits per order")
	assert.Contains(t, lineWith(t, text, "| for-update | 1000 |"), "**2.00** (2.00 2.00 2.00)")
	assert.Contains(t, text, "![throughput-many.svg](throughput-many.svg)")
	assert.Contains(t, lineWith(t, text, "| a handler that does nothing, at the rates of queuecommerce | 50 % |"), "| 1000 | 999 |")
	assert.NotContains(t, text, "NaN")
	assert.NotContains(t, text, "not to be quoted")
}

func TestReportOfNothing(t *testing.T) {
	text, err := render(nil, nil)
	require.NoError(t, err)
	assert.Contains(t, text, "Not measured.")
	assert.NotContains(t, text, "NaN")
}

func lineWith(t *testing.T, text, part string) string {
	t.Helper()
	for line := range strings.Lines(text) {
		if strings.Contains(line, part) {
			return line
		}
	}
	require.Fail(t, "no line has "+part, text)
	return ""
}

func TestReportIsWrittenFromTheRawResultsAlone(t *testing.T) {
	dir := t.TempDir()
	raw := filepath.Join(dir, "records.jsonl")
	file, err := os.Create(raw)
	require.NoError(t, err)
	recorder := newRecorder(file)
	for _, r := range measured() {
		require.NoError(t, recorder.add(r))
	}
	for i := range 4 {
		require.NoError(t, recorder.add(Record{Part: partGrowth, Workload: many.name, System: ours, Stored: i * 1000, Done: 1000, PerSecond: 2000}))
	}
	require.NoError(t, file.Close())
	records, err := readRecords(raw)
	require.NoError(t, err)
	assert.Equal(t, recorder.records, records)
	require.NoError(t, writeReport(records, dir))
	for _, name := range []string{"report.md", "growth.svg"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.NotEmpty(t, content)
	}
}
