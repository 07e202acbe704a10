package main

import (
	"context"
	"errors"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/queuecommerce/queuecommerce/httpapi"
)

// checks are what /health looks at. Only what is vital makes the member unready: without a broker or a payment provider
// orders are still taken.
func (a *App) checks() []httpapi.Check {
	return []httpapi.Check{
		{Name: "storage", Probe: a.store.Ping, Vital: true},
		{Name: "cluster", Vital: true, Probe: func(context.Context) error {
			switch {
			case a.member.Size() == 0:
				return errors.New("no member of any cluster")
			case !a.member.Current():
				return errors.New("suspended: the lease could not be renewed")
			}
			return nil
		}},
		{Name: "broker", Probe: func(context.Context) error { return a.brokerHealth() }},
		{Name: "payments", Probe: a.gateway.Health},
	}
}

func (a *App) brokerHealth() error {
	switch status := a.relay.Status(); {
	case a.config.AMQPURL == "":
		return errors.New("no broker is configured; events are kept")
	case status.Err != nil:
		return status.Err
	case !status.Connected:
		return errors.New("not connected; events are kept")
	case !a.intake.Connected():
		return errors.New("commands of other systems are not taken in")
	case status.Blocked:
		return errors.New("the broker takes nothing for now; events are kept")
	}
	return nil
}

func (a *App) registerMetrics(registry *prometheus.Registry) {
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	count := func(name, help string, value func() int64) {
		registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Namespace: "queuecommerce", Name: name, Help: help},
			func() float64 { return float64(value()) }))
	}
	gauge := func(name, help string, value func() float64) {
		registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "queuecommerce", Name: name, Help: help}, value))
	}
	stats := &a.host.Stats
	count("commands_total", "Commands that entities of this member were asked.", stats.Commands.Load)
	count("appends_total", "Entries that this member has appended to the journal.", stats.Appends.Load)
	count("commits_total", "Durable writes that carried those entries.", stats.Commits.Load)
	count("events_total", "Events in those entries.", stats.Events.Load)
	count("conflicts_total", "Appends that were fenced out.", stats.Conflicts.Load)
	count("activations_total", "Entities that were loaded.", stats.Activations.Load)
	count("passivations_total", "Entities that were let go.", stats.Passivations.Load)
	count("messages_published_total", "Messages sent to the broker, repeats included.", func() int64 { return int64(a.relay.Status().Published) })
	count("messages_confirmed_total", "Messages that the broker has confirmed.", func() int64 { return int64(a.relay.Status().Confirmed) })
	gauge("entities", "Entities that are loaded now.", func() float64 { return float64(stats.Live.Load()) })
	gauge("read_models_behind", "Entities that have changed since the read models were stored.", func() float64 { return float64(a.host.Behind()) })
	gauge("cluster_members", "Members that this one knows of, itself included.", func() float64 { return float64(a.member.Size()) })
	gauge("relay_behind", "Journal entries that the broker has not confirmed yet.", func() float64 { return float64(a.relay.Behind()) })
}
