package chaos

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/bridge/bridgetest"
	"github.com/queuecommerce/queuecommerce/storage/mongo/mongotest"
)

// The flags. Without -chaos.long everything is short enough for every build.
var options struct {
	long     bool
	runs     int
	seed     uint64
	duration time.Duration
	members  int
	faults   string
	freezes  int
	mutants  string
	keep     bool
}

func init() {
	flag.BoolVar(&options.long, "chaos.long", false, "also run what takes many minutes: the scenarios and every mutant")
	flag.IntVar(&options.runs, "chaos.runs", 2, "how many runs, each with a seed of its own")
	flag.Uint64Var(&options.seed, "chaos.seed", 1, "seed of the first run; the next one has the next seed")
	flag.DurationVar(&options.duration, "chaos.duration", 10*time.Second, "how long a run has faults")
	flag.IntVar(&options.members, "chaos.members", 3, "how many members the cluster has")
	flag.StringVar(&options.faults, "chaos.faults", "", "only these kinds of faults, such as kill,freeze; empty: all")
	flag.IntVar(&options.freezes, "chaos.freezes", 50, "how many times a member is frozen and revived")
	flag.StringVar(&options.mutants, "chaos.mutants", "", "only these mutants; empty: all with -chaos.long, else the cheapest")
	flag.BoolVar(&options.keep, "chaos.keep", false, "keep the logs of runs that went well")
}

// services are the servers that all runs share, and the programs.
var services struct {
	store        *mongotest.Server
	storeAddress string
	replicated   bool // the store is a real replica set of several: its own failover is tried, and no link stands before it
	broker       bridgetest.Broker
	ownBroker    bool // which may be killed
	builds       builds
	addresses    addresses
}

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(serve(m))
}

func serve(m *testing.M) (code int) {
	dir, err := os.MkdirTemp("", "queuecommerce-chaos-programs-")
	if err == nil {
		defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
		services.ownBroker = os.Getenv("AMQP_TEST_URL") == ""
		services.addresses.taken = map[string]bool{}
		services.builds = builds{dir: dir, done: map[string]string{}}
		services.store, err = mongotest.Start()
	}
	if err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		services.storeAddress, err = services.store.Primary(ctx)
		cancel()
		services.replicated = strings.Count(services.store.URI(), ",") > 0
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		return 1
	}
	defer func() {
		if err := errors.Join(services.broker.Close(), services.store.Stop()); err != nil {
			fmt.Fprintln(os.Stderr, "chaos:", err)
			code = 1
		}
	}()
	return m.Run()
}

// errFailed says that a call has failed what would have been a test.
var errFailed = errors.New("failed")

// refusal is a testing.TB for calls that may fail without failing the test, and for those outside of its goroutine.
type refusal struct {
	testing.TB
	err error
}

func (r *refusal) Helper() {}

func (r *refusal) Errorf(format string, args ...any) {
	r.err = fmt.Errorf("%w: "+format, append([]any{errFailed}, args...)...)
}

func (r *refusal) FailNow() { runtime.Goexit() }

func (r *refusal) Fatal(args ...any) { r.Fatalf("%s", fmt.Sprint(args...)) }

func (r *refusal) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	r.FailNow()
}

// attempt calls what a testing.TB is needed for, and returns how it failed.
func attempt(t testing.TB, call func(testing.TB)) error {
	r := &refusal{TB: t}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		call(r)
	}()
	<-ended
	return r.err
}
