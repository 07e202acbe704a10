package main

import (
	"cmp"
	_ "embed"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
)

//go:embed report.md.tmpl
var reportText string

var reportTemplate = template.Must(template.New("report").Parse(reportText))

var titles = map[string]string{many.name: "1000 products, one line", two.name: "1000 products, two lines", hot.name: "one hot product"}

// writeReport draws the charts and writes report.md.
func writeReport(records []Record, dir string) error {
	files, err := charts(records, dir)
	if err != nil {
		return err
	}
	text, err := render(records, files)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "report.md"), []byte(text), 0o644)
}

// render makes the report's text, which depends on nothing else.
func render(records []Record, files []string) (string, error) {
	page := map[string]any{"Conditions": conditionsOf(records), "Goals": goalTable(goalsOf(records)), "Compared": comparedSections(records),
		"Paced": pacedTable(records), "Growth": growthTable(records), "Reads": readTable(records), "Engine": engineTable(records),
		"Broker": brokerTable(records), "Usual": usual, "Window": window,
		"Charts": map[string][]string{"Throughput": beginning(files, "throughput"), "Latency": beginning(files, "latency"), "Growth": beginning(files, "growth")}}
	var text strings.Builder
	err := reportTemplate.Execute(&text, page)
	return text.String(), err
}

func conditionsOf(records []Record) Conditions {
	for _, r := range records {
		if r.Conditions != nil {
			return *r.Conditions
		}
	}
	return Conditions{}
}

func beginning(files []string, prefix string) (found []string) {
	for _, file := range files {
		if strings.HasPrefix(file, prefix) {
			found = append(found, file)
		}
	}
	return found
}

// systemsOf returns the compared systems in the order in which they first appear.
func systemsOf(records []Record) (names []string) {
	for _, r := range records {
		if (r.Part == partCompare || r.Part == partSweep || r.Part == partPaced) && !slices.Contains(names, r.System) {
			names = append(names, r.System)
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return place(a) - place(b) })
	return names
}

// place puts QueueCommerce before the baseline, whoever was measured first.
func place(system string) int {
	if i := slices.Index(styles, system); i >= 0 {
		return i + 1
	}
	return 0
}

// table is Markdown's. Without rows it is a sentence that says so.
func table(rows [][]string, head ...string) string {
	if len(rows) == 0 {
		return "Not measured.\n"
	}
	var text strings.Builder
	line := func(cells []string) { fmt.Fprintf(&text, "| %s |\n", strings.Join(cells, " | ")) }
	line(head)
	text.WriteString("|" + strings.Repeat("---|", len(head)) + "\n")
	for _, row := range rows {
		line(row)
	}
	return text.String()
}

// number has no more digits than mean something; a dash stands for what was not measured.
func number(value float64) string {
	switch {
	case math.IsNaN(value) || math.IsInf(value, 0):
		return "–"
	case math.Abs(value) >= 100:
		return fmt.Sprintf("%.0f", value)
	case math.Abs(value) >= 10:
		return fmt.Sprintf("%.1f", value)
	}
	return fmt.Sprintf("%.2f", value)
}

// orDash is a number, or a dash for a counter that a system does not have.
func orDash(value float64) string {
	if value == 0 {
		return "–"
	}
	return number(value)
}

func goalTable(goals []goal) string {
	var rows [][]string
	for _, g := range goals {
		rows = append(rows, []string{g.What, g.Measured, g.Verdict})
	}
	return table(rows, "Goal", "Measured", "")
}

type section struct{ Title, Table string }

// comparedSections has a section for each workload and number of clients.
func comparedSections(records []Record) (sections []section) {
	for _, w := range []workload{many, two, hot} {
		for _, clients := range []int{1, 8, usual, 128} {
			if text := comparedTable(records, w, clients); text != "" {
				sections = append(sections, section{fmt.Sprintf("%s, %d clients", titles[w.name], clients), text})
			}
		}
	}
	return sections
}

func comparedTable(records []Record, w workload, clients int) string {
	of := func(system string) []Record {
		return filtered(records, func(r Record) bool {
			return (r.Part == partCompare || r.Part == partSweep) && r.Workload == w.name && r.Clients == clients && r.System == system
		})
	}
	var rows [][]string
	for _, system := range systemsOf(records) {
		runs := of(system)
		if len(runs) == 0 {
			continue
		}
		row := append([]string{system}, figures(runs)...)
		if ratio := ratios(of(ours), runs, perSecond); system != ours {
			row = append(row, spread(ratio))
		} else {
			row = append(row, "")
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return ""
	}
	return table(rows, "System", "confirmed/s", "accepted/s", "p50 ms", "p95 ms", "p99 ms", "p99.9 ms", "CPU us/order", "commits/order",
		"appends/order", "commands/order", "allocations/order", "MiB", "connections", "failed", "ratio")
}

// figures are the medians of the runs of one system.
func figures(runs []Record) (cells []string) {
	middle := func(figure func(Record) float64) float64 { return medianOf(runs, all, figure) }
	for _, figure := range []func(Record) float64{perSecond, func(r Record) float64 { return r.Accepted }, func(r Record) float64 { return r.P50 },
		func(r Record) float64 { return r.P95 }, p99, func(r Record) float64 { return r.P999 }, func(r Record) float64 { return r.CPU }} {
		cells = append(cells, number(middle(figure)))
	}
	commits := middle(func(r Record) float64 { return r.PerOrder.Commits })
	if runs[0].Part != partCompare {
		commits = 0 // other parts do not wait until PostgreSQL has counted all
	}
	for _, value := range []float64{commits, middle(func(r Record) float64 { return r.PerOrder.Appends }), middle(func(r Record) float64 { return r.PerOrder.Commands }),
		middle(func(r Record) float64 { return r.PerOrder.Allocations }), middle(func(r Record) float64 { return r.PeakMiB }),
		middle(func(r Record) float64 { return float64(r.Pool) })} {
		cells = append(cells, orDash(value))
	}
	failed := 0
	for _, r := range runs {
		failed += r.Failed
	}
	return append(cells, fmt.Sprint(failed))
}

// spread is the median, and what it is the median of.
func spread(values []float64) string {
	if len(values) == 0 {
		return "–"
	}
	var each []string
	for _, v := range values {
		each = append(each, fmt.Sprintf("%.2f", v))
	}
	return fmt.Sprintf("**%.2f** (%s)", median(values), strings.Join(each, " "))
}

func pacedTable(records []Record) string {
	var rows [][]string
	add := func(what string, share int, runs []Record) {
		if len(runs) == 0 {
			return
		}
		middle := func(figure func(Record) float64) string { return number(medianOf(runs, all, figure)) }
		rows = append(rows, []string{what, fmt.Sprintf("%d %%", share), middle(func(r Record) float64 { return float64(r.Rate) }),
			middle(func(r Record) float64 { return cmp.Or(r.Accepted, r.PerSecond) }), middle(func(r Record) float64 { return r.P50 }),
			middle(func(r Record) float64 { return r.P95 }), middle(p99), middle(func(r Record) float64 { return r.P999 }),
			middle(func(r Record) float64 { return r.CPU })})
	}
	shares := []int{25, 50, 75}
	for _, system := range systemsOf(records) {
		for _, share := range shares {
			add(system, share, pacedRecords(records, system, share))
		}
	}
	for _, share := range shares {
		add("a handler that does nothing, at the rates of "+ours, share, floorRecords(records, floorOrders, share))
	}
	return table(rows, "System", "share", "asked/s", "accepted/s", "p50 ms", "p95 ms", "p99 ms", "p99.9 ms", "CPU us/order")
}

// growthTable shows about ten of the steps.
func growthTable(records []Record) string {
	var rows [][]string
	steps := growthRecords(records)
	for i, r := range steps {
		if i%max(1, len(steps)/10) == 0 || i == len(steps)-1 {
			rows = append(rows, []string{fmt.Sprint(r.Stored), number(r.PerSecond), number(r.P50), number(r.P99), number(r.CPU), number(r.PeakMiB)})
		}
	}
	text := table(rows, "orders stored", "confirmed/s", "p50 ms", "p99 ms", "CPU us/order", "peak MiB")
	if fall, _, _ := fallOf(records); !math.IsNaN(fall) {
		text += "\nThe shop with all its orders and a young one, in turn; medians:\n\n" + ageTable(records)
	}
	for _, r := range records {
		if r.Part == partGrowth && r.Workload == "products" {
			text += fmt.Sprintf("\nThe catalogue has %d products, made at %s per second.\n", r.Stored, number(r.PerSecond))
		}
	}
	return text
}

func ageTable(records []Record) string {
	var rows [][]string
	for _, age := range []string{ageYoung, ageGrown} {
		of := ageRecords(records, age)
		rows = append(rows, []string{fmt.Sprint(of[0].Stored), number(medianOf(of, all, perSecond)), number(medianOf(of, all, p99)),
			number(medianOf(of, all, func(r Record) float64 { return r.CPU }))})
	}
	return table(rows, "orders stored", "confirmed/s", "p99 ms", "CPU us/order")
}

func readTable(records []Record) string {
	var rows [][]string
	add := func(title string, runs []Record) {
		if len(runs) == 0 {
			return
		}
		middle := func(figure func(Record) float64) string { return number(medianOf(runs, all, figure)) }
		rows = append(rows, []string{title, orDash(medianOf(runs, all, func(r Record) float64 { return float64(r.Rate) })), middle(perSecond),
			middle(func(r Record) float64 { return r.P50 }), middle(func(r Record) float64 { return r.P95 }), middle(p99), middle(func(r Record) float64 { return r.P999 }),
			middle(func(r Record) float64 { return r.CPU }), middle(func(r Record) float64 { return r.Bytes }), middle(func(r Record) float64 { return float64(r.Failed) })})
	}
	for _, what := range []string{recentOrders, "orders", "products", "/empty", "list", "search"} {
		add(readTitles[what], readRecordsOf(records, what, 0))
		add(readTitles[what], readRecordsOf(records, what, 50))
		add("the same of a handler that does nothing", floorRecords(records, what, 50))
	}
	deepest := 0
	for _, r := range readRecordsOf(records, "list", 0) {
		deepest = max(deepest, r.Deepest)
	}
	text := table(rows, "What", "asked/s", "answered/s", "p50 ms", "p95 ms", "p99 ms", "p99.9 ms", "CPU us/read", "bytes", "failed")
	if deepest > 0 {
		text += fmt.Sprintf("\nThe deepest page that a reader came to was number %d.\n", deepest)
	}
	return text
}

var readTitles = map[string]string{recentOrders: "an order by id, one of the newest 10,000", "orders": "an order by id, any of all", "products": "a product by id", "/empty": "a handler that does nothing, as many bytes as an order",
	"list": "a page of orders", "search": "a search for products"}

func engineTable(records []Record) string {
	var rows [][]string
	alone := engineRecords(records, "storage engine")
	for _, served := range engineRecords(records, ours) {
		for _, a := range alone {
			if a.Pair == served.Pair {
				rows = append(rows, []string{number(appendsPerSecond(served)), number(a.PerSecond), fmt.Sprintf("%.0f %%", 100*appendsPerSecond(served)/a.PerSecond),
					fmt.Sprint(a.Batch), number(a.Bytes)})
			}
		}
	}
	return table(rows, "appends/s of the shop", "of the engine alone", "share", "entries per commit", "bytes of an entry's events")
}

func brokerTable(records []Record) string {
	var rows [][]string
	row := func(what, system string, share int, figure func(Record) float64, unit string) {
		if runs := brokerRecords(records, system, share); len(runs) > 0 {
			rows = append(rows, []string{what, number(medianOf(runs, all, figure)) + " " + unit})
		}
	}
	messages := func(r Record) float64 { return r.PerSecond * r.PerOrder.Messages }
	row("Shop without broker, 32 clients", "without broker", 0, perSecond, "orders/s")
	row("Shop with broker, 32 clients", "with broker", 0, perSecond, "orders/s")
	row("Messages that it confirmed meanwhile", "with broker", 0, messages, "messages/s")
	row("Journal entries that were not confirmed yet 0.3 s after the load", "with broker", 0, func(r Record) float64 { return r.Behind }, "entries")
	row("Shop without broker, half of its peak", "without broker", 50, perSecond, "orders/s")
	row("Shop with broker, the same rate", "with broker", 50, perSecond, "orders/s")
	row("p99 of POST /orders without broker", "without broker", 50, p99, "ms")
	row("p99 of POST /orders with broker", "with broker", 50, p99, "ms")
	row("Relay, catching up", "relay", 0, perSecond, "messages/s")
	row("RabbitMQ alone", "rabbitmq", 0, perSecond, "messages/s")
	row("Size of a message", "rabbitmq", 0, func(r Record) float64 { return r.Bytes }, "bytes")
	return table(rows, "", "")
}
