package verify

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// String is the report for people.
func (r Report) String() string {
	var b strings.Builder
	r.WriteTo(&b) //nolint:errcheck // a Builder takes everything
	return b.String()
}

// WriteTo writes the report for people.
func (r Report) WriteTo(w io.Writer) (int64, error) {
	counted := &counter{w: w}
	t := tabwriter.NewWriter(counted, 0, 8, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(t, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }

	row("as of", "%s", r.Now.UTC().Format(time.RFC3339))
	row("journal", "%d events in %d entries", r.Events, r.Entries)
	row("streams", "%s", counts(r.Streams))
	row("orders", "%s", counts(r.Orders))
	row("other reservations", "%s", counts(r.Reservations))
	row("payments", "%s", counts(r.Payments))
	row("still open", "%d", r.Open)
	if r.Fresh > 0 {
		row("set aside", "%d that were written to since the run began, and are to be compared by another run", r.Fresh)
	}
	s := r.Stock
	row("stock", "%d on hand, %d of it reserved = %d initial %+d adjusted - %d sold + %d restocked - %d written off",
		s.OnHand, s.Reserved, s.Initial, s.Adjusted, s.Sold, s.Restocked, s.WrittenOff)
	for _, currency := range slices.Sorted(maps.Keys(r.Money)) {
		m := r.Money[currency]
		row("money "+currency, "%d charged, %d refunded, %d being refunded", m.Charged, m.Refunded, m.RefundsPending)
	}
	for _, m := range r.Writers {
		relayed := "retired"
		if m.Enlisted {
			relayed = fmt.Sprintf("relayed to %d, projected to %d", m.Relayed, m.Projected)
		}
		row("writer "+m.Writer, "%d entries up to number %d, %d numbers without an entry; %s", m.Entries, m.Highest, m.Missing, relayed)
	}
	list(t, "warnings", r.Warnings, r.WarningCount)
	list(t, "violations", r.Violations, r.ViolationCount)
	err := t.Flush()
	return counted.n, err
}

func list(w io.Writer, name string, found []Violation, total int) {
	fmt.Fprintf(w, "%s\t%d\n", name, total)
	for _, v := range found {
		fmt.Fprintf(w, "  %s\n", v)
	}
	if total > len(found) {
		fmt.Fprintf(w, "  and %d more\n", total-len(found))
	}
}

func counts(m map[string]int64) string {
	if len(m) == 0 {
		return "none"
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%d %s", m[name], name))
	}
	return strings.Join(parts, ", ")
}

// counter remembers the first error, as tabwriter does not say how much it wrote.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
