package sqlite

import (
	"testing"
	"time"
)

func TestArchivingGivesWay(t *testing.T) {
	const step = 7 * time.Millisecond
	for appended, want := range map[int64]time.Duration{0: step, 1: 2 * step, 9: 10 * step, 19: 20 * step, 20: 20 * step, 1e9: 20 * step} {
		if got := pause(step, appended); got != want {
			t.Errorf("%d entries were appended: got %v, want %v", appended, got, want)
		}
	}
}
