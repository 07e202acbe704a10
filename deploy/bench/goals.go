package main

import (
	"fmt"
	"math"
)

// goal is something that was meant to be reached, and what was measured.
type goal struct {
	What     string
	Measured string
	Verdict  string // met, not met, or not measured
}

const ours = "queuecommerce"

var styles = []string{"for-update", "conditional", "one-statement"}

// judge makes a goal of a figure and whether it is good enough; NaN is a figure that nobody has measured.
func judge(what string, figure float64, enough bool, format string, more ...any) goal {
	switch {
	case math.IsNaN(figure):
		return goal{what, "", "not measured"}
	case enough:
		return goal{what, fmt.Sprintf(format, append([]any{figure}, more...)...), "met"}
	}
	return goal{what, fmt.Sprintf(format, append([]any{figure}, more...)...), "not met"}
}

// goalsOf holds the records against all goals.
func goalsOf(records []Record) (goals []goal) {
	for _, style := range styles {
		least, word := 1.5, "at least 1.5 times"
		if style == "one-statement" {
			least, word = math.Nextafter(1, 2), "more than"
		}
		ratio := againstStyle(records, many, usual, style, perSecond)
		goals = append(goals, judge("many products, 32 clients: "+word+" the orders per second of "+style, ratio, ratio >= least, "%.2f times"))
	}
	for _, style := range styles {
		ratio := againstStyle(records, many, usual, style, func(r Record) float64 { return r.CPU })
		goals = append(goals, judge("many products, 32 clients: no more CPU per order than "+style, ratio, ratio <= 1, "%.2f times"))
	}
	for _, clients := range []int{usual, 128} {
		best := bestStyle(records, hot, clients)
		ratio := againstStyle(records, hot, clients, best, perSecond)
		goals = append(goals, judge(fmt.Sprintf("one hot product, %d clients: at least 5 times the best of the baseline", clients),
			ratio, ratio >= 5, "%.2f times %s", best))
	}
	return append(goals, limitGoals(records)...)
}

func limitGoals(records []Record) []goal {
	relay := median(ratios(brokerRecords(records, "relay", 0), brokerRecords(records, "rabbitmq", 0), perSecond))
	held := median(ratios(brokerRecords(records, "with broker", 50), brokerRecords(records, "without broker", 50), perSecond))
	half := medianOf(records, func(r Record) bool { return r.Part == partPaced && r.System == ours && r.Share == 50 }, p99)
	engine := median(ratios(engineRecords(records, ours), engineRecords(records, "storage engine"), appendsPerSecond))
	reads := median(ratios(readRecordsOf(records, recentOrders, 0), readRecordsOf(records, "/empty", 0), perSecond))
	list := medianOf(readRecordsOf(records, "list", 50), all, p99)
	search := medianOf(readRecordsOf(records, "search", 50), all, p99)
	fall, from, to := fallOf(records)
	return []goal{
		judge("the relay publishes at least 80 % of what RabbitMQ alone takes", 100*relay, relay >= 0.8, "%.0f %%, catching up"),
		judge("orders are not held back by the broker, at half of the peak rate", 100*held, held >= 0.95, "%.0f %% of the orders per second without a broker"),
		judge("p99 of POST /orders at half of the peak rate is at most 10 ms", half, half <= 10, "%.1f ms"+floorOf(records, floorOrders)),
		judge("at least 60 % of the appends per second of the storage engine alone", 100*engine, engine >= 0.6, "%.0f %%"),
		judge("reads by id: at least 60 % of an HTTP handler that does nothing", 100*reads, reads >= 0.6, "%.0f %%, of the newest 10,000 orders"),
		judge("p99 of a page of the list is below 20 ms", list, list < 20, "%.1f ms"+floorOf(records, "list")),
		judge("p99 of a search is below 20 ms", search, search < 20, "%.1f ms"+floorOf(records, "search")),
		judge("throughput falls by less than 10 % from 10 thousand to 1 million orders", 100*fall, fall < 0.1 && to >= 900_000, "%.0f %% from %d to %d orders", from, to),
	}
}

// floorOf says what a handler that does nothing took at the same rates; empty if nobody has measured it.
func floorOf(records []Record, of string) string {
	floor := medianOf(floorRecords(records, of, 50), all, p99)
	if math.IsNaN(floor) {
		return ""
	}
	return fmt.Sprintf("; of a handler that does nothing, at the same rate, %.1f", floor)
}

func all(Record) bool { return true }

func p99(r Record) float64 { return r.P99 }

// appendsPerSecond is what the engine has done, or what the shop's orders took.
func appendsPerSecond(r Record) float64 {
	if r.PerOrder.Appends > 0 {
		return r.PerSecond * r.PerOrder.Appends
	}
	return r.PerSecond
}

// againstStyle is the median, over all pairs, of our figure divided by that of a style of the baseline.
func againstStyle(records []Record, w workload, clients int, style string, figure func(Record) float64) float64 {
	return median(ratios(compared(records, w, clients, ours), compared(records, w, clients, style), figure))
}

// bestStyle is the style of the baseline with the highest median; empty if there is none.
func bestStyle(records []Record, w workload, clients int) (best string) {
	most := 0.0
	for _, style := range styles {
		if m := medianOf(compared(records, w, clients, style), all, perSecond); m > most {
			best, most = style, m
		}
	}
	return best
}

func compared(records []Record, w workload, clients int, system string) []Record {
	return filtered(records, func(r Record) bool {
		return r.Part == partCompare && r.Workload == w.name && r.Clients == clients && r.System == system
	})
}

func brokerRecords(records []Record, system string, share int) []Record {
	return filtered(records, func(r Record) bool { return r.Part == partBroker && r.System == system && r.Share == share })
}

func engineRecords(records []Record, system string) []Record {
	return filtered(records, func(r Record) bool { return r.Part == partEngine && r.System == system })
}

func readRecordsOf(records []Record, what string, share int) []Record {
	return filtered(records, func(r Record) bool { return r.Part == partRead && r.Workload == what && r.Share == share })
}

func growthRecords(records []Record) []Record {
	return filtered(records, func(r Record) bool { return r.Part == partGrowth && r.Workload == many.name })
}

// The systems of partAge.
const (
	ageYoung = "young"
	ageGrown = "grown"
)

func ageRecords(records []Record, age string) []Record {
	return filtered(records, func(r Record) bool { return r.Part == partAge && r.System == age })
}

// fallOf is by which share the throughput of a shop that has grown is lower than that of a young one: the median of the
// pairs.
func fallOf(records []Record) (fall float64, from, to int) {
	young, grown := ageRecords(records, ageYoung), ageRecords(records, ageGrown)
	if len(young) == 0 || len(grown) == 0 {
		return math.NaN(), 0, 0
	}
	return 1 - median(ratios(grown, young, perSecond)), young[0].Stored, grown[0].Stored
}
