package main

import (
	"math"
	"slices"
)

// median of the values; NaN if there are none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

func perSecond(r Record) float64 { return r.PerSecond }

// filtered returns the records that are wanted.
func filtered(records []Record, wanted func(Record) bool) (found []Record) {
	for _, r := range records {
		if wanted(r) {
			found = append(found, r)
		}
	}
	return found
}

// medianOf is the median of one figure of the records that are wanted; NaN if there are none.
func medianOf(records []Record, wanted func(Record) bool, figure func(Record) float64) float64 {
	var values []float64
	for _, r := range filtered(records, wanted) {
		values = append(values, figure(r))
	}
	return median(values)
}

// ratios divides, pair by pair, a figure of the records above by that of the records below, which were measured beside
// them. A pair that one side does not have is left out.
func ratios(above, below []Record, figure func(Record) float64) (all []float64) {
	for _, a := range above {
		for _, b := range below {
			if a.Pair == b.Pair && figure(b) > 0 {
				all = append(all, figure(a)/figure(b))
				break
			}
		}
	}
	return all
}
