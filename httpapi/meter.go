package httpapi

import (
	"fmt"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// meter counts and times requests; nil measures nothing.
type meter struct{ seconds *prometheus.HistogramVec }

func newMeter(register prometheus.Registerer) (*meter, error) {
	if register == nil {
		return nil, nil
	}
	m := &meter{seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "http_request_duration_seconds",
		Help:    "Time from the arrival of a request to its answer.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
	}, []string{"operation", "status"})}
	if err := register.Register(m.seconds); err != nil {
		return nil, fmt.Errorf("register http metrics: %w", err)
	}
	return m, nil
}

func (m *meter) observe(operation string, status int, took time.Duration) {
	if m == nil {
		return
	}
	m.seconds.WithLabelValues(operation, strconv.Itoa(status)).Observe(took.Seconds())
}
