package bench

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestResultSumsWhatTheBuyersSaw(t *testing.T) {
	var r Result
	r.take(&buyer{retried: 1, answers: []Answer{
		{At: 1 * time.Second, Took: 10 * time.Millisecond, Accepted: true, ID: "b"},
		{At: 2 * time.Second, Took: 20 * time.Millisecond},
		{At: 4 * time.Second, Took: 30 * time.Millisecond, Accepted: true, ID: "c"}}})
	r.take(&buyer{answers: []Answer{{At: 500 * time.Millisecond, Took: 5 * time.Millisecond, Accepted: true, ID: "a"}}})
	r.sum()
	assert.Equal(t, 3, r.Orders)
	assert.Equal(t, 1, r.Failed)
	assert.Equal(t, 1, r.Retried)
	assert.Equal(t, 3*time.Second, r.Longest, "a failed order does not end the wait for an accepted one")
	assert.Equal(t, 10*time.Millisecond, r.Latency.P50)
	assert.Equal(t, 30*time.Millisecond, r.Latency.P99)
	assert.Equal(t, []string{"a", "b", "c"}, r.IDs, "in the order of their answers")
}

func TestQuantileIsTheNearestRank(t *testing.T) {
	var thousand []time.Duration
	for i := 1; i <= 1000; i++ {
		thousand = append(thousand, time.Duration(i))
	}
	for q, want := range map[float64]time.Duration{0: 1, 0.5: 500, 0.95: 950, 0.99: 990, 0.999: 999, 1: 1000} {
		assert.Equal(t, want, quantile(thousand, q), "of a thousand, q=%v", q)
	}
	assert.Equal(t, time.Duration(7), quantile([]time.Duration{7}, 0.999))
	assert.Equal(t, time.Duration(2), quantile([]time.Duration{1, 2, 3}, 0.5))
	assert.Zero(t, quantile(nil, 0.5))
}

func TestRatesAndLatenciesInJSON(t *testing.T) {
	r := Result{Orders: 300, Confirmed: 200, Took: 2 * time.Second, Settled: 4 * time.Second, Latency: Latency{P999: 1500 * time.Microsecond}}
	encoded, err := json.Marshal(r)
	require.NoError(t, err)
	var figures struct {
		ConfirmedPerSecond, AcceptedPerSecond float64
		Latency                               map[string]float64
	}
	require.NoError(t, json.Unmarshal(encoded, &figures))
	assert.Equal(t, 50.0, figures.ConfirmedPerSecond, "until the last one was confirmed")
	assert.Equal(t, 150.0, figures.AcceptedPerSecond)
	assert.Equal(t, 1.5, figures.Latency["p99.9"])
}
