package bridge_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/bridge"
	"github.com/queuecommerce/queuecommerce/bridge/bridgetest"
	"github.com/queuecommerce/queuecommerce/storage/memory"
)

// status is the state that a wait prints when it gives up.
func status(r *bridge.Relay) func() string {
	return func() string { return fmt.Sprintf("%+v", r.Status()) }
}

// confirmed waits until the relay has so many more messages confirmed.
func confirmed(t *testing.T, r *bridge.Relay, more uint64) {
	t.Helper()
	from := r.Status().Confirmed
	bridgetest.Eventually(t, 30*time.Second, func() bool { return r.Status().Confirmed >= from+more }, status(r))
}

func disconnected(t *testing.T, r *bridge.Relay) {
	t.Helper()
	bridgetest.Eventually(t, 30*time.Second, func() bool { return !r.Connected() }, status(r))
}

func TestBrokerStopsAndCrashesUnderLoad(t *testing.T) {
	broker.MayBreak(t)
	s := newShop(t, memory.New(), "member-1")
	sub := subscribe(t)
	config := s.config()
	config.TailEntries = 64 // an outage must also reach the journal
	relay, _ := s.run(config, s.store)
	ended := s.load(0, 3*time.Millisecond)
	confirmed(t, relay, 1000)

	broker.Stop(t)
	disconnected(t, relay)
	if relay.Behind() == 0 {
		bridgetest.Eventually(t, 5*time.Second, func() bool { return relay.Behind() > 0 }, status(relay))
	}
	broker.Start(t)
	confirmed(t, relay, 1500)

	broker.Kill(t)
	disconnected(t, relay)
	broker.Start(t)
	confirmed(t, relay, 1500)

	orders := ended()
	s.flush(relay, 30*time.Second)
	repeats := sub.heard(s.expected)
	t.Logf("%d orders, %d messages, %d repeats, %d connections", orders, len(s.expected), repeats, relay.Status().Sessions)
	if relay.Status().Sessions < 3 {
		t.Errorf("the relay was not interrupted: %+v", relay.Status())
	}
}

func TestNetworkIsCut(t *testing.T) {
	s := newShop(t, memory.New(), "member-1")
	sub := subscribe(t)
	l := newLink(t)
	config := s.config()
	config.URL = l.url()
	relay, _ := s.run(config, s.store)
	ended := s.load(0, 500*time.Microsecond)
	for range 8 {
		confirmed(t, relay, 100)
		l.cut()
		disconnected(t, relay)
		l.mend()
	}
	ended()
	s.flush(relay, 10*time.Second)
	t.Logf("%d messages, %d repeats", len(s.expected), sub.heard(s.expected))
}

func TestNetworkGoesSilent(t *testing.T) {
	for _, direction := range []string{"upstream", "downstream"} {
		t.Run(direction, func(t *testing.T) {
			s := newShop(t, memory.New(), "member-1")
			sub := subscribe(t)
			l := newLink(t)
			config := s.config()
			config.URL, config.ConfirmTimeout = l.url(), 300*time.Millisecond
			relay, _ := s.run(config, s.store)
			ended := s.load(0, 500*time.Microsecond)
			confirmed(t, relay, 100)
			l.add("silence", "timeout", direction, `{"timeout":0}`)
			disconnected(t, relay)
			l.remove("silence")
			l.cut() // what was held back must not arrive now, after what is sent again
			l.mend()
			confirmed(t, relay, 100)
			ended()
			s.flush(relay, 10*time.Second)
			t.Logf("%d messages, %d repeats", len(s.expected), sub.heard(s.expected))
		})
	}
}

func TestNetworkIsSlow(t *testing.T) {
	s := newShop(t, memory.New(), "member-1")
	sub := subscribe(t)
	l := newLink(t)
	config := s.config()
	config.URL = l.url()
	relay, _ := s.run(config, s.store)
	l.add("slow", "latency", "downstream", `{"latency":20,"jitter":10}`)
	l.add("narrow", "bandwidth", "upstream", `{"rate":2000}`)
	for n := range 300 {
		s.order(n)
	}
	s.flush(relay, 20*time.Second)
	if repeats := sub.heard(s.expected); repeats != 0 || relay.Status().Sessions != 1 {
		t.Errorf("%d repeats, status %+v", repeats, relay.Status())
	}
}

func TestNoBrokerAtStart(t *testing.T) {
	s := newShop(t, memory.New(), "member-1")
	sub := subscribe(t)
	l := newLink(t)
	url := l.url()
	l.cut()
	config := s.config()
	config.URL = url
	relay, _ := s.run(config, s.store)
	s.order(1)
	bridgetest.Eventually(t, 5*time.Second, func() bool { return relay.Status().Err != nil }, status(relay))
	if st := relay.Status(); st.Connected || st.Behind != s.number || st.Confirmed != 0 {
		t.Errorf("status without a broker %+v", st)
	}
	l.mend()
	s.flush(relay, 5*time.Second)
	sub.heard(s.expected)
	if st := relay.Status(); !st.Connected || st.Behind != 0 || st.Err != nil {
		t.Errorf("status with a broker %+v", st)
	}
}

func TestNoBrokerConfigured(t *testing.T) {
	s := newShop(t, memory.New(), "member-1")
	relay, stop := s.run(bridge.RelayConfig{Writer: s.writer}, s.store)
	s.order(1)
	if st := relay.Status(); st.Connected || st.Behind != 0 || st.Err != nil {
		t.Errorf("status %+v", st)
	}
	stop()
	if s.relayed() != 0 {
		t.Errorf("the mark moved to %d though nothing was published", s.relayed())
	}
}

// A broker short of memory takes nothing; the relay must neither lose its patience nor its messages.
func TestBrokerIsBlocked(t *testing.T) {
	broker.MayBreak(t)
	s := newShop(t, memory.New(), "member-1")
	sub := subscribe(t)
	config := s.config()
	relay, _ := s.run(config, s.store)
	s.order(0)
	s.flush(relay, 5*time.Second)
	broker.Control(t, "set_vm_memory_high_watermark", "absolute", "1")
	unblock := func() { broker.Control(t, "set_vm_memory_high_watermark", "0.4") }
	t.Cleanup(func() { unblock() })
	ended := s.load(1, 5*time.Millisecond)
	bridgetest.Eventually(t, 10*time.Second, func() bool { return relay.Status().Blocked }, status(relay))
	stalled := time.Now()
	bridgetest.Eventually(t, 10*time.Second, func() bool { return time.Since(stalled) > 3*config.ConfirmTimeout/2 }, status(relay))
	if st := relay.Status(); st.Sessions != 1 || !st.Blocked {
		t.Errorf("the relay lost its patience: %+v", st)
	}
	unblock()
	confirmed(t, relay, 1000)
	ended()
	s.flush(relay, 10*time.Second)
	t.Logf("%d messages, %d repeats", len(s.expected), sub.heard(s.expected))
}

func TestWrongAddressKeepsItsPasswordSecret(t *testing.T) {
	for _, url := range []string{"amqp://user:hunter2@127.0.0.1:1:2/", "amqp://user:hunter2@[::1/", "http://user:hunter2@127.0.0.1/"} {
		s := newShop(t, memory.New(), "member-1")
		config := s.config()
		config.URL = url
		relay, stop := s.run(config, s.store)
		bridgetest.Eventually(t, 5*time.Second, func() bool { return relay.Status().Err != nil }, status(relay))
		if text := relay.Status().Err.Error(); text == "" || strings.Contains(text, "hunter2") {
			t.Errorf("error of %s", text)
		}
		stop()
	}
}

// A peer that accepts and says nothing must not hold up a stop.
func TestStopWhileShakingHands(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	accepted := make(chan net.Conn, 16)
	go func() {
		defer close(accepted)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			accepted <- conn
		}
	}()
	s := newShop(t, memory.New(), "member-1")
	_, stop := s.run(bridge.RelayConfig{URL: "amqp://guest:guest@" + listener.Addr().String() + "/", Writer: s.writer}, s.store)
	conn := <-accepted
	defer conn.Close()
	began := time.Now()
	stop()
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("stop took %v", took)
	}
}
