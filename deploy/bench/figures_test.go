package main

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestMedian(t *testing.T) {
	assert.Equal(t, 2.0, median([]float64{3, 1, 2}))
	assert.Equal(t, 2.5, median([]float64{4, 1, 2, 3}))
	assert.Equal(t, 7.0, median([]float64{7}))
	assert.True(t, math.IsNaN(median(nil)), "nothing has no median")
	values := []float64{3, 1, 2}
	median(values)
	assert.Equal(t, []float64{3, 1, 2}, values, "what was measured stays in its order")
}

func TestRatiosAreOfOnePair(t *testing.T) {
	above := []Record{{Pair: 0, PerSecond: 30}, {Pair: 2, PerSecond: 50}, {Pair: 1, PerSecond: 40}}
	below := []Record{{Pair: 1, PerSecond: 20}, {Pair: 0, PerSecond: 10}}
	assert.Equal(t, []float64{3, 2}, ratios(above, below, perSecond), "the third pair has no other half")
	assert.Empty(t, ratios(above, []Record{{Pair: 0}}, perSecond), "a system that did nothing has no ratio")
}

func TestFallIsFromYoungToGrown(t *testing.T) {
	var records []Record
	for pair, rates := range [][2]float64{{100, 90}, {50, 40}, {200, 190}} { // the machine changes
		records = append(records, Record{Part: partAge, System: ageYoung, Pair: pair, Stored: 10_000, PerSecond: rates[0]},
			Record{Part: partAge, System: ageGrown, Pair: pair, Stored: 1_000_000 + 5000*pair, PerSecond: rates[1]})
	}
	fall, from, to := fallOf(records)
	assert.InDelta(t, 0.1, fall, 1e-9)
	assert.Equal(t, 10_000, from)
	assert.Equal(t, 1_000_000, to)
	fall, _, _ = fallOf(records[:1])
	assert.True(t, math.IsNaN(fall), "no shop that has grown")
}
