package httpapi

import (
	"encoding/hex"
	"fmt"
	"io"
)

// passport is what identifies one request in logs, in journals and towards the client.
type passport struct {
	request string // X-Request-Id: the client's, or ours
	trace   string // W3C traceparent of this request: the client's trace and a span of our own
}

const (
	traceHeader   = "traceparent"
	requestHeader = "X-Request-Id"
)

// issue makes the passport. It copies what it takes from the client's headers.
func issue(random io.Reader, requestID, traceparent []byte) (passport, error) {
	var raw [32]byte
	if _, err := io.ReadFull(random, raw[:]); err != nil {
		return passport{}, fmt.Errorf("read randomness for a request id: %w", err)
	}
	trace := make([]byte, 55)
	copy(trace, "00-")
	flags := []byte("01")
	if isTraceparent(traceparent) {
		copy(trace[3:35], traceparent[3:35])
		flags = traceparent[53:55]
	} else {
		hex.Encode(trace[3:35], raw[:16])
	}
	trace[35], trace[52] = '-', '-'
	hex.Encode(trace[36:52], raw[16:24])
	copy(trace[53:], flags)
	p := passport{trace: string(trace)}
	if isToken(requestID, 128) {
		p.request = string(requestID)
	} else {
		p.request = hex.EncodeToString(raw[24:])
	}
	return p, nil
}

// isTraceparent accepts version 00, and of a later version the part that is as in 00.
func isTraceparent(b []byte) bool {
	if len(b) < 55 || b[2] != '-' || b[35] != '-' || b[52] != '-' {
		return false
	}
	if !isLowerHex(b[:2]) || string(b[:2]) == "ff" || (string(b[:2]) == "00" && len(b) != 55) || (len(b) > 55 && b[55] != '-') {
		return false
	}
	return isLowerHex(b[3:35]) && !isZeros(b[3:35]) && isLowerHex(b[36:52]) && !isZeros(b[36:52]) && isLowerHex(b[53:55])
}

func isLowerHex(b []byte) bool {
	for _, c := range b {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func isZeros(b []byte) bool {
	for _, c := range b {
		if c != '0' {
			return false
		}
	}
	return true
}

// isToken says whether b is 1 to most characters that are safe in a header and in a log.
func isToken(b []byte, most int) bool {
	if len(b) == 0 || len(b) > most {
		return false
	}
	for _, c := range b {
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '-', c == '_', c == '.', c == ':':
		default:
			return false
		}
	}
	return true
}
