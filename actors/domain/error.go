package domain

import (
	"errors"
	"fmt"
)

// Kind says what sort of "no" a refusal is; the front end maps each kind to one HTTP status, in one place.
type Kind int

const (
	KindInvalid      Kind = iota + 1 // the command itself is wrong: 400
	KindNotFound                     // no such entity, or it is hidden: 404
	KindConflict                     // a rule forbids it in this state, or a duplicate: 409
	KindDeclined                     // the bank said no: 402
	KindPrecondition                 // If-Match names another version: 412
	KindUnavailable                  // a dependency is away; the same command may be sent again: 503
)

func (k Kind) String() string {
	switch k {
	case KindInvalid:
		return "invalid"
	case KindNotFound:
		return "not_found"
	case KindConflict:
		return "conflict"
	case KindDeclined:
		return "declined"
	case KindPrecondition:
		return "precondition"
	case KindUnavailable:
		return "unavailable"
	}
	return fmt.Sprintf("kind(%d)", int(k))
}

// Error is a refusal: a rule said no, nothing changed. Code is stable and for programs, Detail is for people.
type Error struct {
	Kind   Kind
	Code   string
	Detail string
}

func (e *Error) Error() string { return e.Code + ": " + e.Detail }

// Errorf makes a refusal.
func Errorf(kind Kind, code, format string, args ...any) *Error {
	return &Error{Kind: kind, Code: code, Detail: fmt.Sprintf(format, args...)}
}

// AsRefusal returns the refusal in err's chain, if there is one.
func AsRefusal(err error) (*Error, bool) {
	var refusal *Error
	ok := errors.As(err, &refusal)
	return refusal, ok
}
