package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/queuecommerce/queuecommerce/actors"
	"github.com/queuecommerce/queuecommerce/actors/gateway"
	"github.com/queuecommerce/queuecommerce/bridge"
	"github.com/queuecommerce/queuecommerce/cluster"
	"github.com/queuecommerce/queuecommerce/httpapi"
	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/mongo"
	"github.com/queuecommerce/queuecommerce/storage/sqlite"
)

// App is one member with all its parts. It opens them in order and closes them in reverse.
type App struct {
	config  Config
	logger  *slog.Logger
	store   storage.Store
	writer  string
	gateway gateway.Gateway
	host    *actors.Host
	member  *cluster.Member
	relay   *bridge.Relay
	intake  *bridge.Consumer
	http    *httpapi.Server

	closers  []func() // called last first
	failures chan error
}

// openStore opens the store that the configuration names, and says what the member is called in its journal.
func openStore(ctx context.Context, c Config, logger *slog.Logger, options ...sqlite.Option) (store storage.Store, writer string, err error) {
	if c.MongoURI == "" {
		// One process at a time has the directory open, so the name can stay the same, and with it the marks.
		store, err = sqlite.Open(ctx, c.DataDir, append(options, sqlite.WithLogger(logger))...)
		return store, "local", err
	}
	store, err = mongo.Open(ctx, mongo.Config{URI: c.MongoURI, Prefix: c.MongoPrefix})
	var random [6]byte
	rand.Read(random[:]) //nolint:errcheck // never fails
	return store, fmt.Sprintf("m%x-%s", systemClock().Unix(), hex.EncodeToString(random[:])), err
}

// Open brings a member up to where it could serve. On an error, what was opened has been closed again.
func Open(ctx context.Context, c Config, logger *slog.Logger) (app *App, err error) {
	a := &App{config: c, logger: logger, failures: make(chan error, 4)}
	defer func() {
		if err != nil {
			a.Close()
		}
	}()
	var options []sqlite.Option
	if c.JournalArchiveAfter > 0 {
		options = append(options, sqlite.WithArchive(c.JournalArchiveAfter, systemClock))
	}
	if a.store, a.writer, err = openStore(ctx, c, logger, options...); err != nil {
		return nil, fmt.Errorf("open storage: %w", err)
	}
	a.onClose(func() { a.report("close storage", a.store.Close()) })
	webhookSecret, err := a.openGateway(ctx)
	if err != nil {
		return nil, fmt.Errorf("open payment gateway: %w", err)
	}
	if err := a.openActors(ctx); err != nil {
		return nil, err
	}
	if err := a.openHTTP(ctx, webhookSecret); err != nil {
		return nil, fmt.Errorf("open http: %w", err)
	}
	if err := a.begin(); err != nil {
		return nil, err
	}
	return a, nil
}

func (a *App) onClose(f func()) { a.closers = append(a.closers, f) }

// Close ends the member: what has begun is finished, what is committed is kept.
func (a *App) Close() {
	for _, f := range slices.Backward(a.closers) {
		f()
	}
	a.closers = nil
}

func (a *App) report(what string, err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		a.logger.Error("part did not end well", "part", what, "err", err)
	}
}

// openGateway returns the secret that webhooks are signed with; empty: none is accepted.
func (a *App) openGateway(ctx context.Context) (webhookSecret string, err error) {
	if a.config.StripeKey != "" {
		a.gateway, err = gateway.NewStripe(gateway.StripeConfig{SecretKey: a.config.StripeKey, APIBase: a.config.StripeBase, Logger: a.logger})
		return a.config.StripeWebhookSecret, err
	}
	secret, err := a.store.Secret(ctx, "sandbox")
	if err != nil {
		return "", err
	}
	webhookSecret = a.config.StripeWebhookSecret
	if webhookSecret == "" {
		signing, err := a.store.Secret(ctx, "webhook")
		if err != nil {
			return "", err
		}
		webhookSecret = "whsec_" + hex.EncodeToString(signing)
	}
	sandbox, err := gateway.NewSandbox(gateway.SandboxConfig{Secret: secret, WebhookSecret: webhookSecret, Logger: a.logger, Remember: 1 << 13,
		Deliver: func(ctx context.Context, payload []byte, signature string) error {
			return a.http.Webhook(ctx, payload, signature)
		}})
	if err != nil {
		return "", err
	}
	a.onClose(func() {
		// Nobody listens any more; what the sandbox still had to tell, the payments have learned from its answers.
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		if err := sandbox.Close(ctx); err != nil {
			a.logger.Debug("payment sandbox closed", "err", err)
		}
	})
	a.gateway = sandbox
	return webhookSecret, nil
}

// openActors starts host, cluster member and bridge, and connects them.
func (a *App) openActors(ctx context.Context) error {
	last, err := a.store.Enlist(ctx, a.writer)
	if err != nil {
		return fmt.Errorf("enlist as a writer: %w", err)
	}
	relaying := bridge.RelayConfig{URL: a.config.AMQPURL, Writer: a.writer, Last: last,
		Aliases: a.config.EventAliases, Queues: a.config.LegacyQueues, Clock: systemClock}
	if a.config.clustered() {
		relaying.Gone = func(writer string) bool { return a.member.Gone(writer) }
		relaying.Mine = func(writer string) bool { return a.member.Owns(actors.KindWriter, writer) }
	}
	a.relay = bridge.NewRelay(relaying, a.store, a.store, a.logger)
	a.host = actors.NewHost(actors.Config{Store: a.store, Gateway: a.gateway, Policy: a.config.policy(), Writer: a.writer,
		Clock: systemClock, Logger: a.logger, Committed: a.relay.Committed})
	if err := a.restoreProjections(ctx); err != nil {
		return fmt.Errorf("make lost read models again: %w", err)
	}
	if err := a.host.Start(ctx); err != nil {
		return fmt.Errorf("start actors: %w", err)
	}
	if !a.config.clustered() {
		if err := a.host.Inherit(ctx, actors.Alone{}); err != nil {
			return fmt.Errorf("start actors: %w", err)
		}
		a.retireOthers(ctx)
	}
	if a.member, err = a.openMember(); err != nil {
		a.host.Stop()
		return err
	}
	a.background("relay", a.relay.Run)
	a.onClose(a.host.Stop)
	a.onClose(a.member.Stop)
	a.onClose(a.flushEvents)
	a.onClose(a.member.Drain)
	return nil
}

// openMember makes the member that begin lets join the others.
func (a *App) openMember() (*cluster.Member, error) {
	secured, err := a.config.clusterTLS()
	if err != nil {
		return nil, err
	}
	config := cluster.Config{Name: "queuecommerce", Addr: a.config.clusterAddr(), Advertise: a.config.ClusterAdvertise, Writer: a.writer,
		LeaseTTL: a.config.ClusterLeaseTTL, Kinds: actors.Kinds(), Props: a.host.Props, Answer: a.host.Answer, TLS: secured, Logger: a.logger}
	if store, ok := a.store.(*mongo.Store); ok && a.config.clustered() {
		leases, err := store.Leases()
		if err != nil {
			return nil, fmt.Errorf("open leases: %w", err)
		}
		config.Leases = leases
	}
	member, err := cluster.Open(config)
	if err != nil {
		return nil, fmt.Errorf("open cluster member: %w", err)
	}
	return member, nil
}

// flushEvents publishes what is left, if there is a broker, so that nobody has to take it over.
func (a *App) flushEvents() {
	if !a.relay.Connected() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	a.report("publish the last events", a.relay.Flush(ctx))
}

// restoreProjections replays the journal when the file of the read models was lost.
func (a *App) restoreProjections(ctx context.Context) error {
	store, ok := a.store.(*sqlite.Store)
	if !ok || !store.ProjectionsLost() {
		return nil
	}
	streams, err := a.host.Replay(ctx)
	if err != nil {
		return err
	}
	a.logger.Warn("read models were lost, and made again from the journal", "entities", streams)
	return store.ProjectionsRestored(ctx)
}

// retireOthers forgets the writers of earlier lives that have nothing left to hand over. One whose events still wait for
// the broker stays until a later start.
func (a *App) retireOthers(ctx context.Context) {
	writers, err := a.store.Writers(ctx)
	if err != nil {
		a.logger.Warn("earlier writers not looked at", "err", err)
		return
	}
	for _, w := range writers {
		if w.Writer == a.writer {
			continue
		}
		if err := a.store.Retire(ctx, w.Writer); err != nil {
			a.logger.Debug("earlier writer stays enlisted", "writer", w.Writer, "err", err)
		}
	}
}

// begin lets work start: from here on entities act, and commands are taken in. Whatever they need has been opened: the
// other members send commands as soon as this one has joined.
func (a *App) begin() error {
	if err := a.member.Join(); err != nil {
		return fmt.Errorf("join the cluster: %w", err)
	}
	a.host.SetAsker(a.member.Client(), a.membership())
	a.intake = bridge.NewConsumer(bridge.ConsumerConfig{URL: a.config.AMQPURL, Name: a.writer, Currency: a.config.Currency},
		a.member.Client(), a.host.NewID, a.logger)
	a.background("command intake", a.intake.Run)
	return nil
}

// background runs a part until Close, which waits for it.
func (a *App) background(what string, run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		if err := run(ctx); err != nil && ctx.Err() == nil {
			a.failures <- fmt.Errorf("%s: %w", what, err)
		}
	})
	a.onClose(func() { cancel(); done.Wait() })
}

func (a *App) openHTTP(ctx context.Context, webhookSecret string) error {
	secret, err := a.store.Secret(ctx, "http")
	if err != nil {
		return err
	}
	asyncAPI, err := bridge.AsyncAPI(version)
	if err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	a.registerMetrics(registry)
	newest, _ := a.store.(storage.Newest)
	a.http, err = httpapi.New(httpapi.Config{Asker: a.member.Client(), Lists: a.store, History: a.store, Newest: newest, Secret: secret,
		WebhookSecret: webhookSecret, Clock: systemClock, Random: rand.Reader, Checks: a.checks(), Version: version, AsyncAPI: asyncAPI,
		Metrics: promhttp.HandlerFor(registry, promhttp.HandlerOpts{}), Register: registry, Logger: a.logger})
	return err
}

// errLost ends a member that the others have gone on without: what it holds is theirs now.
var errLost = errors.New("the cluster has gone on without this member")

// Serve answers HTTP on the listener until the context ends, and then hands over what this member has and lets running
// requests finish. With errLost nothing is finished, and nothing must be.
func (a *App) Serve(ctx context.Context, listener net.Listener) error {
	served := make(chan error, 1)
	go func() { served <- a.http.Serve(listener) }()
	var failure error
	select {
	case <-ctx.Done():
	case failure = <-a.failures:
	case <-a.member.Lost():
		return errLost
	case err := <-served:
		return err
	}
	a.http.Drain()
	a.leave()
	drain, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	a.report("finish requests", a.http.Shutdown(drain))
	return errors.Join(failure, <-served)
}
