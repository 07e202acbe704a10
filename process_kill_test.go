package main_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/actors/gateway/gatewaytest"
	"github.com/queuecommerce/queuecommerce/verify"
)

const (
	stripeKey     = "sk_test_process"
	webhookSecret = "whsec_process"
)

// newProvider starts a payment provider that outlives the shop, and returns the environment that leads to it.
func newProvider(t testing.TB) (provider *gatewaytest.Server, env []string) {
	t.Helper()
	provider = gatewaytest.NewServer(gatewaytest.Config{SecretKey: stripeKey, WebhookSecret: webhookSecret})
	t.Cleanup(provider.Close)
	return provider, []string{"STRIPE_SECRET_KEY=" + stripeKey, "STRIPE_WEBHOOK_SECRET=" + webhookSecret, "STRIPE_API_BASE=" + provider.URL}
}

// crash kills the serving process at a random moment and serves again, that many times. Now and then the new process is
// killed while it starts.
func (s *shop) crash(times int, random *rand.Rand) {
	s.t.Helper()
	moment := func(from, to int) { <-time.After(time.Duration(from+random.IntN(to-from)) * time.Millisecond) }
	for n := range times {
		if n%4 == 3 {
			s.kill()
			s.launch()
			moment(0, 200)
		} else {
			moment(150, 450)
		}
		s.kill()
		s.start()
	}
}

func times(normal, short int) int {
	if testing.Short() {
		return short
	}
	return normal
}

// TestKillUnderLoad kills the shop, again and again, while buyers buy, pay, cancel and get refunds. Everything that was
// answered is there, every order comes to its end, no unit of stock and no cent is lost or counted twice.
func TestKillUnderLoad(t *testing.T) {
	const seed = 1
	provider, env := newProvider(t)
	s := newShop(t, env...)
	s.start()
	provider.DeliverTo(gatewaytest.PostTo(s.url() + "/payments/webhook/stripe"))
	m := openMarket(t, s.url())
	stop := m.load(24, seed)
	s.crash(times(20, 5), rand.New(rand.NewPCG(seed, seed)))
	stop()
	m.settle()
	m.wantMoney(provider)
	t.Logf("%d orders", len(m.purchases))
	s.stop()
	s.wantCleanLog()
	s.wantVerified()
}

// TestKillUnderLoadWithSandbox is the same with the payment sandbox, which is killed with the shop.
func TestKillUnderLoadWithSandbox(t *testing.T) {
	const seed = 2
	s := newShop(t)
	s.start()
	m := openMarket(t, s.url())
	stop := m.load(16, seed)
	s.crash(times(6, 2), rand.New(rand.NewPCG(seed, seed)))
	stop()
	m.settle()
	m.wantMoney(nil)
	t.Logf("%d orders", len(m.purchases))
	s.stop()
	s.wantCleanLog()
	s.wantVerified()
}

// wantVerified wants "queuecommerce verify" to find nothing wrong, and nothing open.
func (s *shop) wantVerified() {
	s.t.Helper()
	var report verify.Report
	code, stdout, stderr := s.run("verify", "--json")
	require.NoError(s.t, json.Unmarshal([]byte(stdout), &report), "%s%s", stdout, stderr)
	require.Zero(s.t, code, "%v%s", report.Violations, stderr)
	require.Empty(s.t, report.Violations)
	require.Zero(s.t, report.ViolationCount)
	require.Zero(s.t, report.Open, "orders that still have something to do")
	require.NotZero(s.t, report.Entries)
}
