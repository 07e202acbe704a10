package bench

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestChartHasALineForEachStepThatShowsItsSlowestAnswer(t *testing.T) {
	r := Result{Answers: []Answer{
		{At: 10 * time.Millisecond, Took: time.Millisecond, Accepted: true},
		{At: 20 * time.Millisecond, Took: 10 * time.Millisecond, Accepted: true},
		{At: 250 * time.Millisecond, Took: 100 * time.Millisecond}}}
	var w strings.Builder
	require.NoError(t, r.Chart(&w, 100*time.Millisecond))
	lines := strings.Split(strings.TrimRight(w.String(), "\n"), "\n")
	require.Len(t, lines, 3)
	assert.Contains(t, lines[0], "2 orders")
	assert.Contains(t, lines[0], "10.0 ms "+strings.Repeat("#", 20))
	assert.Contains(t, lines[1], "0 orders")
	assert.Contains(t, lines[2], "1 failed")
	assert.True(t, strings.HasSuffix(lines[2], " "+strings.Repeat("#", 30)), lines[2])
}
