package domaintest

import (
	"testing"

	"github.com/queuecommerce/queuecommerce/actors/domain"
)

// Row is one rule: given these events, when this is asked, then that happens. Code set: it is refused, with that code and
// kind, and Then is empty.
type Row[C any, E Event] struct {
	Name  string
	Given []E
	When  C
	Then  []E
	Kind  domain.Kind
	Code  string
}

// Table runs each row as a test of its own.
func Table[S any, C any, E Event](t *testing.T, rules Rules[S, C, E], rows []Row[C, E]) {
	t.Helper()
	names := map[string]bool{}
	for _, row := range rows {
		if names[row.Name] {
			t.Errorf("two rows are called %q", row.Name)
		}
		names[row.Name] = true
		t.Run(row.Name, func(t *testing.T) {
			subject := rules.New()
			subject.Fold(t, row.Given...)
			events, err := subject.Do(t, row.When)
			if row.Code != "" {
				Refused(t, err, row.Kind, row.Code)
				return
			}
			if err != nil {
				t.Fatalf("refused: %v", err)
			}
			if got, want := Show(events), Show(row.Then); got != want {
				t.Errorf("given%s\nwhen\n  %T %s\nthen%s\nwanted%s", Show(row.Given), row.When, JSON(t, row.When), got, want)
			}
		})
	}
}

// Refused fails the test unless err is that refusal.
func Refused(t TB, err error, kind domain.Kind, code string) {
	t.Helper()
	refusal, ok := domain.AsRefusal(err)
	if !ok {
		t.Fatalf("got %v, wanted refusal %s", err, code)
	}
	if refusal.Code != code || refusal.Kind != kind {
		t.Fatalf("refused as %s %q, wanted %s %q", refusal.Kind, refusal.Error(), kind, code)
	}
}
