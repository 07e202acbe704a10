package main

import "time"

// systemClock is where every part of this member has the time from. Members' clocks may differ: what must not depend on
// that, membership and the lifetime of a question, goes by the store's clock or by durations.
func systemClock() time.Time { return time.Now() }
