package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
)

// Record is one measurement: a line of the raw results. What does not apply is left out.
type Record struct {
	Part     string `json:"part"`               // of the plan: see the constants
	Workload string `json:"workload,omitempty"` // many, two, hot; of reads what is read
	System   string `json:"system,omitempty"`
	Pair     int    `json:"pair"` // records of one pair were measured one right after the other
	Clients  int    `json:"clients,omitempty"`
	Rate     int    `json:"rate,omitempty"`   // per second, asked for
	Share    int    `json:"share,omitempty"`  // percent of the system's peak that the rate is
	Pool     int    `json:"pool,omitempty"`   // connections to the database
	Stored   int    `json:"stored,omitempty"` // orders, or products, in the store when it began
	Batch    int    `json:"batch,omitempty"`  // entries per commit

	Done       int         `json:"done,omitempty"` // orders confirmed; reads answered; appends; messages
	Failed     int         `json:"failed,omitempty"`
	Seconds    float64     `json:"seconds,omitempty"`   // until the last of them was done
	PerSecond  float64     `json:"perSecond,omitempty"` // done
	Accepted   float64     `json:"acceptedPerSecond,omitempty"`
	P50        float64     `json:"p50ms,omitempty"` // of the answers
	P95        float64     `json:"p95ms,omitempty"`
	P99        float64     `json:"p99ms,omitempty"`
	P999       float64     `json:"p99_9ms,omitempty"`
	CPU        float64     `json:"cpuMicroseconds,omitempty"` // for each one done, of all processes of the system
	PeakMiB    float64     `json:"peakMiB,omitempty"`
	Behind     float64     `json:"behind,omitempty"`  // journal entries that the relay had left a moment after the load
	Bytes      float64     `json:"bytes,omitempty"`   // of a message, a journal entry or an answer, on average
	Deepest    int         `json:"deepest,omitempty"` // page that was read
	PerOrder   Counts      `json:"perOrder,omitzero"`
	Conditions *Conditions `json:"conditions,omitempty"` // of the first record only
}

// Counts are a system's own counters, divided by the orders confirmed.
type Counts struct {
	Appends     float64 `json:"appends,omitempty"`
	Commits     float64 `json:"commits,omitempty"` // that were synced to disk
	Commands    float64 `json:"commands,omitempty"`
	Messages    float64 `json:"messages,omitempty"`
	Allocations float64 `json:"allocations,omitempty"`
}

// The parts of the plan.
const (
	partConditions = "conditions"
	partTune       = "tune"    // each style with several sizes of its pool
	partCompare    = "compare" // the systems side by side
	partSweep      = "sweep"   // other numbers of clients
	partPaced      = "paced"   // open loop, and the peak right before
	partFloor      = "floor"   // a handler that does nothing, at the rates of an open loop; the workload says of which
	partGrowth     = "growth"  // while orders pile up
	partAge        = "age"     // the shop that has them, in turn with a young one
	partRead       = "read"
	partEngine     = "engine" // the storage engine alone
	partBroker     = "broker" // RabbitMQ alone, and with the shop
)

// recorder writes each record as soon as there is one, and remembers all.
type recorder struct {
	encoder *json.Encoder
	records []Record
}

func newRecorder(w io.Writer) *recorder { return &recorder{encoder: json.NewEncoder(w)} }

func (r *recorder) add(record Record) error {
	r.records = append(r.records, record)
	return r.encoder.Encode(record)
}

// readRecords reads raw results.
func readRecords(path string) (records []Record, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // only read
	for decoder := json.NewDecoder(bufio.NewReader(file)); ; {
		var record Record
		if err := decoder.Decode(&record); errors.Is(err, io.EOF) {
			return records, nil
		} else if err != nil {
			return nil, err
		}
		records = append(records, record)
	}
}
