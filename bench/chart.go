package bench

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"
)

// Chart writes how the load went, one line for each step of time: how many orders were accepted, how long the slowest
// answer took, and that as a bar on a scale that grows tenfold every ten characters.
func (r Result) Chart(w io.Writer, step time.Duration) error {
	line := func(at time.Duration, accepted, failed int, slowest time.Duration) error {
		_, err := fmt.Fprintf(w, "%7.2f s %6d orders %4d failed  slowest %8.1f ms %s\n", at.Seconds(), accepted, failed, ms(slowest), bar(slowest))
		return err
	}
	i := 0
	for at := time.Duration(0); i < len(r.Answers); at += step {
		accepted, failed, slowest := 0, 0, time.Duration(0)
		for ; i < len(r.Answers) && r.Answers[i].At < at+step; i++ {
			if r.Answers[i].Accepted {
				accepted++
			} else {
				failed++
			}
			slowest = max(slowest, r.Answers[i].Took)
		}
		if err := line(at, accepted, failed, slowest); err != nil {
			return err
		}
	}
	return nil
}

// bar is ten characters long for a millisecond, twenty for ten, and so on.
func bar(d time.Duration) string {
	return strings.Repeat("#", max(0, int(math.Round(10*math.Log10(d.Seconds()/100e-6)))))
}
