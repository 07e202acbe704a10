package verify

import (
	"math/bits"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/storage"
)

// second is what a writer's clock said, in seconds since 1970: there is one for each entry.
type second uint32

func secondOf(at domain.Time) second { return second(max(0, int64(at)/1000)) }

func (s second) time() domain.Time { return domain.Time(int64(s) * 1000) }

// longOver is the newest deadline that is long over on every clock: those of the writers that may still be at work, and
// the caller's, if it gave one.
func (a *audit) longOver(marks []storage.Marks) domain.Time {
	grace, skew := domain.Time(a.opts.Grace.Milliseconds()), domain.Time(a.opts.Skew.Milliseconds())
	latest, readings := domain.Time(0), make(map[string]domain.Time, len(a.writers))
	for name, w := range a.writers {
		readings[name] = w.passed(secondsOf(grace))
		latest = max(latest, readings[name])
	}
	if !a.opts.Now.IsZero() {
		latest = domain.At(a.opts.Now) - grace
	}
	atWork := readings
	if len(marks) > 0 {
		atWork = make(map[string]domain.Time, len(marks))
		for _, m := range marks {
			atWork[m.Writer] = readings[m.Writer]
		}
	}
	over := latest
	for _, reading := range atWork {
		over = min(over, max(reading, latest-skew))
	}
	return over
}

func secondsOf(d domain.Time) int64 { return (int64(d) + 999) / 1000 }

// passed is what the writer's clock was at, or past, in all of its last entries, as many as show that grace went by, in
// seconds. 0: its entries do not show that much.
func (w *numbers) passed(grace int64) domain.Time {
	var shown int64
	var lowest, later second
	w.backwards(func(at second) bool {
		if later == 0 {
			lowest, later = at, at
		}
		shown += min(max(int64(later)-int64(at), 0), max(grace/4, 1))
		lowest, later = min(lowest, at), at
		return shown < grace
	})
	if shown < grace {
		return 0
	}
	return lowest.time()
}

// backwards visits what the clock said, from the highest number down, until visit returns false.
func (w *numbers) backwards(visit func(second) bool) {
	for page := range w.pagesDown() {
		for word := pageWords - 1; word >= 0; word-- {
			clock := page.clock[word]
			if clock == nil {
				continue
			}
			for left := page.used[word]; left != 0; {
				bit := bits.Len64(left) - 1
				left &^= 1 << bit
				if at := clock[bit]; at != 0 && !visit(at) {
					return
				}
			}
		}
	}
}

// latest is the newest of what the writers' clocks said last.
func (a *audit) latest() domain.Time {
	var latest domain.Time
	for _, w := range a.writers {
		latest = max(latest, w.latest)
	}
	return latest
}
