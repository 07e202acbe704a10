package chaos

import (
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/bridge"
)

// What is proven here are the checks: each has to be able to fail.

// at makes an operation out of when it was called and answered, in seconds.
func (o operation) at(call, back int) operation {
	o.call, o.back = time.Duration(call)*time.Second, time.Duration(back)*time.Second
	if o.outcome == "" {
		o.outcome = done
	}
	return o
}

func look(version uint64, stock, reserved int64) operation {
	return operation{deed: looking, subject: "p", version: version, stock: stock, reserved: reserved}
}

func adjust(delta int64, version uint64, stock int64) operation {
	return operation{deed: adjusting, subject: "p", delta: delta, version: version, stock: stock}
}

func sight(d deed, version uint64, status string) operation {
	return operation{deed: d, subject: "o", version: version, state: status}
}

func (o operation) with(r outcome) operation {
	o.outcome = r
	return o
}

func TestStockModel(t *testing.T) {
	for _, test := range []struct {
		name    string
		private bool
		list    []operation
		ok      bool
	}{
		{"one after the other", true, []operation{adjust(5, 2, 45).at(0, 1), look(2, 45, 0).at(2, 3), adjust(-45, 3, 0).at(4, 5)}, true},
		{"a read beside a write sees either", true, []operation{adjust(5, 2, 45).at(0, 9), look(1, 40, 0).at(1, 2), look(2, 45, 0).at(3, 4)}, true},
		{"a read after a write sees the old stock", true, []operation{adjust(5, 2, 45).at(0, 1), look(1, 40, 0).at(2, 3)}, false},
		{"two reads see the writes in different orders", true, []operation{adjust(5, 2, 45).at(0, 9), look(2, 45, 0).at(1, 2), look(1, 40, 0).at(3, 4)}, false},
		{"an adjustment counts twice", true, []operation{adjust(5, 3, 50).at(0, 1)}, false},
		{"an adjustment got lost", true, []operation{adjust(5, 2, 45).at(0, 1), adjust(5, 3, 45).at(2, 3)}, false},
		{"two adjustments at one version", true, []operation{adjust(5, 2, 45).at(0, 9), adjust(5, 2, 45).at(0, 9)}, false},
		{"one without an answer took effect", true, []operation{adjust(5, 0, 0).with(unknown).at(0, 1), look(2, 45, 0).at(2, 3)}, true},
		{"one without an answer took effect late", true, []operation{adjust(5, 0, 0).with(unknown).at(0, 1), look(1, 40, 0).at(2, 3), look(2, 45, 0).at(4, 5)}, true},
		{"one without an answer took no effect", true, []operation{adjust(5, 0, 0).with(unknown).at(0, 1), look(1, 40, 0).at(2, 3)}, true},
		{"one without an answer took effect before it was called", true, []operation{look(2, 45, 0).at(0, 1), adjust(5, 0, 0).with(unknown).at(2, 3)}, false},
		{"refused though there is enough", true, []operation{adjust(-5, 0, 0).with(refused).at(0, 1)}, false},
		{"refused for want of stock", true, []operation{adjust(-41, 0, 0).with(refused).at(0, 1)}, true},
		{"nobody moved it", true, []operation{look(2, 39, 0).at(0, 1)}, false},
		{"orders move it", false, []operation{look(2, 40, 3).at(0, 1), look(3, 37, 0).at(2, 3), adjust(5, 4, 42).at(4, 5)}, true},
		{"oversold", false, []operation{look(2, 40, 41).at(0, 1)}, false},
		{"a public product goes back", false, []operation{look(3, 37, 0).at(0, 1), look(2, 40, 3).at(2, 3)}, false},
		{"one version with two contents", false, []operation{look(3, 37, 0).at(0, 1), look(3, 40, 3).at(2, 3)}, false},
		{"an adjustment that does not fit the version before it", false, []operation{look(2, 40, 3).at(0, 1), adjust(5, 3, 50).at(2, 3)}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			wantVerdict(t, stockModel(few, test.private), test.list, test.ok)
		})
	}
}

func TestOrderModel(t *testing.T) {
	placed := sight(placing, 2, "pending").at(0, 1)
	for _, test := range []struct {
		name string
		list []operation
		ok   bool
	}{
		{"its life", []operation{placed, sight(viewing, 4, "pending").at(2, 3), sight(viewing, 9, "confirmed").at(4, 5), sight(cancelling, 10, "cancelled").at(6, 7)}, true},
		{"read before it was there", []operation{sight(viewing, 2, "pending").at(0, 1), sight(placing, 2, "pending").at(2, 3)}, false},
		{"confirmed and pending again", []operation{placed, sight(viewing, 9, "confirmed").at(2, 3), sight(viewing, 4, "pending").at(4, 5)}, false},
		{"cancelled and confirmed", []operation{placed, sight(cancelling, 5, "cancelled").at(2, 3), sight(viewing, 9, "confirmed").at(4, 5)}, false},
		{"cancelled, and not seen by others", []operation{placed, sight(cancelling, 5, "cancelled").at(2, 3), sight(viewing, 4, "pending").at(4, 5)}, false},
		{"cancelled, and seen by those who look meanwhile", []operation{placed, sight(cancelling, 5, "cancelled").at(2, 9), sight(viewing, 5, "cancelled").at(4, 5)}, true},
		{"cancelled without an answer", []operation{placed, sight(cancelling, 0, "").with(unknown).at(2, 3), sight(viewing, 5, "cancelled").at(4, 5)}, true},
		{"one version with two states", []operation{placed, sight(viewing, 5, "cancelled").at(2, 3), sight(viewing, 5, "pending").at(4, 5)}, false},
		{"placed twice", []operation{placed, sight(placing, 2, "pending").at(2, 3)}, false},
	} {
		t.Run(test.name, func(t *testing.T) { wantVerdict(t, orderModel(), test.list, test.ok) })
	}
}

func wantVerdict(t *testing.T, model porcupine.Model, list []operation, ok bool) {
	t.Helper()
	violations := linearizable("it", model, list)
	if ok {
		require.Empty(t, violations)
		return
	}
	require.Len(t, violations, 1)
	require.Equal(t, ruleLinear, violations[0].rule)
	require.Contains(t, violations[0].detail, "-> ")
}

func TestWhatIsHeardIsHeldAgainstTheJournal(t *testing.T) {
	message := func(id string, sequence int64, body string) (amqp.Delivery, recorded) {
		d := amqp.Delivery{MessageId: id, RoutingKey: "order.updated", Body: []byte(body), Headers: amqp.Table{"aggregate": "order/1", "sequence": sequence}}
		return d, recorded{Message: bridge.Message{ID: id, Pattern: "order.updated", Aggregate: "order/1", Body: []byte(body)}}
	}
	first, wantFirst := message("a", 1, "one")
	second, wantSecond := message("b", 2, "two")
	altered, _ := message("b", 2, "deux")
	stranger, _ := message("c", 3, "three")
	journal := map[string]recorded{"a": wantFirst, "b": wantSecond}
	for _, test := range []struct {
		name  string
		heard []amqp.Delivery
		fault string
	}{
		{"all", []amqp.Delivery{first, second}, ""},
		{"a late repeat", []amqp.Delivery{first, second, first}, ""},
		{"one overtakes another", []amqp.Delivery{second, first}, "came after 2"},
		{"one is not what was written", []amqp.Delivery{first, altered}, "the journal has two"},
		{"one is made up", []amqp.Delivery{first, second, stranger}, "not in the journal"},
		{"a repeat with another body", []amqp.Delivery{first, second, altered}, "came again"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &subscriber{bodies: map[string]string{}}
			for _, d := range test.heard {
				s.hear(d)
			}
			violations := s.compare(journal)
			if test.fault == "" {
				require.Empty(t, violations)
				return
			}
			require.NotEmpty(t, violations)
			require.Contains(t, violations[0].detail, test.fault)
		})
	}
}

func TestTheSameSeedHasTheSameFaults(t *testing.T) {
	of := kinds()
	of = slices.DeleteFunc(of, func(k kind) bool { return k.name == "store-primary" && !services.replicated })
	seen := map[string]bool{}
	for seed := range uint64(50) {
		s := drawSchedule(seed, 20*time.Second, 3, of)
		require.NotEmpty(t, s)
		require.Equal(t, s, drawSchedule(seed, 20*time.Second, 3, of))
		for i, f := range s {
			require.Less(t, f.begin, f.end)
			require.LessOrEqual(t, f.end, 20*time.Second)
			for _, other := range s[:i] {
				require.False(t, clash(f, other, of), "%v and %v", f, other)
			}
			seen[f.kind] = true
		}
	}
	for _, k := range of {
		assert.True(t, seen[k.name], "%s is never drawn", k.name)
	}
	_, err := chosen("kill,nonsense", 3)
	require.ErrorContains(t, err, "nonsense")
}

// echo answers every line with itself.
func echo(t *testing.T) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(conn, conn) }()
		}
	}()
	return listener.Addr().String()
}

// caller is one end of a connection through a link.
type caller struct {
	t *testing.T
	net.Conn
}

func call(t *testing.T, l *link) caller {
	t.Helper()
	conn, err := net.Dial("tcp", l.addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return caller{t, conn}
}

// says sends a word and returns what comes back within a moment.
func (c caller) says(word string) (back string, err error) {
	if _, err := io.WriteString(c, word); err != nil {
		return "", err
	}
	return c.hears(len(word), 100*time.Millisecond)
}

func (c caller) hears(length int, within time.Duration) (string, error) {
	require.NoError(c.t, c.SetReadDeadline(time.Now().Add(within)))
	buffer := make([]byte, length)
	n, err := io.ReadFull(c, buffer)
	return string(buffer[:n]), err
}

func TestLink(t *testing.T) {
	l, err := newLink(freeAddress(t), echo(t))
	require.NoError(t, err)
	t.Cleanup(l.close)
	const patience = 10 * time.Second
	c := call(t, l)
	back, err := c.says("whole")
	require.NoError(t, err)
	require.Equal(t, "whole", back)

	require.NoError(t, l.set(condition{hold: true}))
	back, err = c.says("held")
	require.ErrorContains(t, err, "timeout", "%q", back)
	require.NoError(t, l.set(condition{}))
	back, err = c.hears(len("held"), patience)
	require.NoError(t, err, "what was held arrives late")
	require.Equal(t, "held", back)

	require.NoError(t, l.set(condition{delay: 150 * time.Millisecond}))
	began := time.Now()
	_, err = io.WriteString(c, "slow")
	require.NoError(t, err)
	_, err = c.hears(len("slow"), patience)
	require.NoError(t, err)
	require.GreaterOrEqual(t, time.Since(began), 300*time.Millisecond, "there and back")

	for name, how := range map[string]condition{"cut": {cut: true}, "deaf": {deaf: true}} {
		require.NoError(t, l.set(condition{}))
		c = call(t, l)
		_, err = c.says("x")
		require.NoError(t, err)
		require.NoError(t, l.set(how))
		_, err = c.says("lost")
		require.ErrorContains(t, err, "timeout", name)
		require.NoError(t, l.set(condition{}))
		_, err = c.hears(1, patience)
		require.Error(t, err, name)
		require.NotContains(t, err.Error(), "timeout", "%s: the connection is broken", name)
	}
	require.NoError(t, l.set(condition{refuse: true}))
	_, err = net.Dial("tcp", l.addr)
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	require.NoError(t, l.setDead(true))
	require.NoError(t, l.set(condition{}))
	_, err = net.Dial("tcp", l.addr)
	require.ErrorIs(t, err, syscall.ECONNREFUSED, "as the target would")
	require.NoError(t, l.set(condition{cut: true}))
	_, err = call(t, l).says("is anybody there")
	require.ErrorContains(t, err, "timeout", "nobody knows behind a cut")
	require.NoError(t, l.setDead(false))
	require.NoError(t, l.set(condition{}))
	back, err = call(t, l).says("again")
	require.NoError(t, err)
	require.Equal(t, "again", back)
}

func TestEditsMustApplyExactlyOnce(t *testing.T) {
	failed := attempt(t, func(t testing.TB) {
		services.builds.overlay(t, t.TempDir(), []edit{{file: "go.mod", find: "no such text in it"}})
	})
	require.ErrorIs(t, failed, errFailed)
	for _, m := range mutants() {
		services.builds.overlay(t, t.TempDir(), append(slices.Clone(skewedClock), m.edits...))
		require.False(t, strings.ContainsAny(m.name, " ,"), m.name)
	}
}
