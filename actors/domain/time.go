package domain

import (
	"fmt"
	"time"
)

// Time is an instant in milliseconds since 1970 UTC; zero means "not set". In JSON it is ISO-8601 UTC with
// milliseconds, always three digits, so that texts sort as instants do.
type Time int64

// At converts an instant, cutting what is finer than a millisecond.
func At(t time.Time) Time {
	t = t.Truncate(time.Millisecond)
	if t.IsZero() {
		return 0
	}
	return Time(t.UnixMilli())
}

// Std is the instant as the standard library has it; the zero Time gives the zero time.Time.
func (t Time) Std() time.Time {
	if t == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(t)).UTC()
}

// Add returns the instant d later; what is finer than a millisecond is cut.
func (t Time) Add(d time.Duration) Time { return t + Time(d.Milliseconds()) }

// IsZero says whether the instant is not set; encoding/json's omitzero asks it.
func (t Time) IsZero() bool { return t == 0 }

func (t Time) String() string { return string(t.appendText(nil)) }

// appendText writes the fraction by itself: the standard library has a fast way for the rest only.
func (t Time) appendText(b []byte) []byte {
	b = t.Std().AppendFormat(b, time.RFC3339)
	ms := (t%1000 + 1000) % 1000
	return append(b[:len(b)-len("Z")], '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10), 'Z')
}

// AppendJSON writes the instant as text, or null when it is not set.
func (t Time) AppendJSON(b []byte) []byte {
	if t == 0 {
		return append(b, "null"...)
	}
	b = append(b, '"')
	b = t.appendText(b)
	return append(b, '"')
}

// MarshalJSON writes what AppendJSON writes.
func (t Time) MarshalJSON() ([]byte, error) {
	return t.AppendJSON(make([]byte, 0, len(`"2006-01-02T15:04:05.000Z"`))), nil
}

// UnmarshalJSON reads what MarshalJSON wrote, and any other RFC 3339 instant.
func (t *Time) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*t = 0
		return nil
	}
	if len(b) < 2 || b[0] != '"' || b[len(b)-1] != '"' {
		return fmt.Errorf("instant %s is not a text", b)
	}
	std, err := time.Parse(time.RFC3339Nano, string(b[1:len(b)-1]))
	if err != nil {
		return fmt.Errorf("instant: %w", err)
	}
	*t = At(std)
	return nil
}
