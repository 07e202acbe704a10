package verify

import "github.com/queuecommerce/queuecommerce/storage"

// Decoded is a journal whose events were decoded: a test that verifies thousands of variants of one need not decode all
// of it each time.
type Decoded []decoded

// Decode decodes the entries as Run does.
func Decode(entries ...storage.Entry) Decoded { return decodeAll(entries) }

// RunDecoded does what Run does when it has decoded the journal, to which nobody writes.
func RunDecoded(journal Decoded, marks []storage.Marks, opts Options) Report {
	a := newAudit(opts.withDefaults())
	a.horizon = &horizon{writers: map[string]*written{}, joined: func(string) (bool, error) { return false, nil }}
	for i := range journal {
		a.entry(&journal[i])
	}
	a.conclude(marks)
	return a.report
}
