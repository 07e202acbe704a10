package bridge

import "time"

// orDefault sets an option that was left at zero, or below.
func orDefault[T int | time.Duration](option *T, value T) {
	if *option <= 0 {
		*option = value
	}
}
