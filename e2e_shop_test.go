package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/caarlos0/env/v11"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/bridge/bridgetest"
	"github.com/queuecommerce/queuecommerce/verify"
)

// patience is how long a test waits for what has to happen: long, because it is the fault of a busy machine if it is not
// at once, and short, because nobody wants to wait for a test that fails.
const patience = 40 * time.Second

// shop is one installation: its configuration and data, and the App that has them open.
type shop struct {
	t       testing.TB
	config  Config
	app     *App
	url     string
	http    *http.Client
	stop    context.CancelFunc
	serving sync.WaitGroup
}

// open serves a shop on a free port, without a broker and with the payment sandbox unless a change says otherwise. When
// the test ends, the guarantees are proven on all that it has left in the journal.
func open(t testing.TB, changes ...func(*Config)) *shop {
	t.Helper()
	config, err := env.ParseAsWithOptions[Config](env.Options{Environment: map[string]string{}})
	require.NoError(t, err)
	config.DataDir, config.AMQPURL = t.TempDir(), ""
	for _, change := range changes {
		change(&config)
	}
	require.NoError(t, config.Validate())
	s := &shop{t: t, config: config}
	s.open()
	t.Cleanup(s.close)
	t.Cleanup(func() { s.verify() })
	return s
}

// open begins a life on the data.
func (s *shop) open() {
	s.t.Helper()
	logger := slog.New(slog.NewTextHandler(s.t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))
	app, err := Open(context.Background(), s.config, logger)
	require.NoError(s.t, err, "open the shop")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		app.Close()
		require.NoError(s.t, err)
	}
	ctx, stop := context.WithCancel(context.Background())
	s.app, s.stop, s.url = app, stop, "http://"+listener.Addr().String()
	s.http = &http.Client{Timeout: 2 * patience, Transport: &http.Transport{MaxIdleConnsPerHost: 512}}
	s.serving.Go(func() {
		if err := app.Serve(ctx, listener); err != nil {
			s.t.Errorf("serve: %v", err)
		}
	})
}

// close ends the life, as SIGTERM does; closed already, it does nothing.
func (s *shop) close() {
	if s.app == nil {
		return
	}
	s.http.CloseIdleConnections()
	s.stop()
	s.serving.Wait()
	s.app.Close()
	s.app = nil
}

// verify proves the guarantees on the journal as it is now.
func (s *shop) verify() {
	s.t.Helper()
	if s.app == nil {
		return
	}
	report, err := verify.Run(context.Background(), s.app.store, verify.Options{Now: time.Now()})
	assert.NoError(s.t, err)
	for _, violation := range report.Violations {
		s.t.Errorf("guarantee broken: %v", violation)
	}
}

// together lets n callers begin at the same moment, and returns when all of them have ended.
func together(n int, call func(i int)) {
	var callers sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		callers.Go(func() {
			<-begin
			call(i)
		})
	}
	close(begin)
	callers.Wait()
}

// eventually waits until the condition returns an empty text; in the end the test fails with the last one.
func eventually(t testing.TB, condition func() (missing string)) {
	t.Helper()
	var missing string
	bridgetest.Eventually(t, patience, func() bool { missing = condition(); return missing == "" }, func() string { return missing })
}
