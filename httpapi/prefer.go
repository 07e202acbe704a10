package httpapi

import (
	"strconv"
	"strings"
	"time"
)

// maxWait is the longest that Prefer: wait is honoured.
const maxWait = 30 * time.Second

// parseWait reads the preference "wait" (RFC 7240) of Prefer headers; 0: none, or none that can be understood, which a
// preference allows to ignore. More than 30 seconds is taken as 30.
func parseWait(headers [][]byte) time.Duration {
	for _, header := range headers {
		for preference := range strings.SplitSeq(string(header), ",") {
			preference, _, _ = strings.Cut(preference, ";")
			name, value, ok := strings.Cut(strings.TrimSpace(preference), "=")
			if !ok || !strings.EqualFold(strings.TrimSpace(name), "wait") {
				continue
			}
			seconds, err := strconv.ParseUint(strings.Trim(strings.TrimSpace(value), `"`), 10, 32)
			if err != nil {
				continue
			}
			return min(time.Duration(seconds)*time.Second, maxWait)
		}
	}
	return 0
}

func seconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }
