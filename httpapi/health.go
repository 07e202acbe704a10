package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/queuecommerce/queuecommerce/actors/domain"
)

// CheckResult is one dependency's health.
type CheckResult struct {
	Status       string `json:"status" enum:"up,down"`
	ResponseTime int64  `json:"responseTime" doc:"milliseconds"`
	Error        string `json:"error,omitempty"`
}

// Health is the member's health.
type Health struct {
	Status    string                 `json:"status" enum:"healthy,degraded"`
	Timestamp domain.Time            `json:"timestamp"`
	Version   string                 `json:"version"`
	Uptime    float64                `json:"uptime" doc:"seconds"`
	Checks    map[string]CheckResult `json:"checks"`
}

// Liveness says that the process answers.
type Liveness struct {
	Status    string      `json:"status" enum:"alive"`
	Timestamp domain.Time `json:"timestamp"`
}

// Readiness says that the member can serve requests.
type Readiness struct {
	Status    string      `json:"status" enum:"ready"`
	Timestamp domain.Time `json:"timestamp"`
}

type healthInput struct{}

func (s *Server) healthRoutes() {
	const tag = "health"
	route(s, operation{id: "getHealth", method: http.MethodGet, path: "/health", tag: tag, summary: "Health of the member and its dependencies",
		status: http.StatusOK, answer: Health{}}, getHealth)
	route(s, operation{id: "getLiveness", method: http.MethodGet, path: "/health/live", tag: tag, summary: "Whether the process answers",
		status: http.StatusOK, answer: Liveness{}}, getLiveness)
	route(s, operation{id: "getReadiness", method: http.MethodGet, path: "/health/ready", tag: tag, summary: "Whether the member can serve requests",
		description: "503 names what is down.", status: http.StatusOK, answer: Readiness{}}, getReadiness)
}

func getHealth(c *call, _ *healthInput) (answer, error) {
	h := Health{Status: "healthy", Timestamp: domain.At(c.now), Version: c.config.Version,
		Uptime: c.now.Sub(c.started).Seconds(), Checks: make(map[string]CheckResult, len(c.config.Checks))}
	for i, result := range c.probe(c.config.Checks) {
		if result.Status == statusDown {
			h.Status = "degraded"
		}
		h.Checks[c.config.Checks[i].Name] = result
	}
	return encoded(h)
}

func getLiveness(c *call, _ *healthInput) (answer, error) {
	return encoded(Liveness{Status: "alive", Timestamp: domain.At(c.now)})
}

func getReadiness(c *call, _ *healthInput) (answer, error) {
	if c.draining.Load() {
		return answer{}, unavailable("not_ready", "the member is shutting down")
	}
	var vital []Check
	for _, check := range c.config.Checks {
		if check.Vital {
			vital = append(vital, check)
		}
	}
	var down []string
	for i, result := range c.probe(vital) {
		if result.Status == statusDown {
			down = append(down, vital[i].Name)
		}
	}
	if len(down) > 0 {
		return answer{}, unavailable("not_ready", "down: "+strings.Join(down, ", "))
	}
	return encoded(Readiness{Status: "ready", Timestamp: domain.At(c.now)})
}

const (
	statusUp   = "up"
	statusDown = "down"
)

// probe runs the checks side by side. Each must return when its context ends.
func (c *call) probe(checks []Check) []CheckResult {
	results := make([]CheckResult, len(checks))
	var wait sync.WaitGroup
	for i, check := range checks {
		wait.Go(func() {
			ctx, cancel := context.WithTimeout(c.ctx, c.config.Limits.Probe)
			defer cancel()
			start := time.Now()
			err := check.Probe(ctx)
			results[i] = CheckResult{Status: statusUp, ResponseTime: time.Since(start).Milliseconds()}
			if err != nil {
				results[i].Status, results[i].Error = statusDown, healthError(err)
			}
		})
	}
	wait.Wait()
	return results
}

// healthError keeps addresses and credentials that a driver puts into its errors out of an answer that anybody can ask
// for; the log of the dependency's own client has them.
func healthError(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "did not answer in time"
	}
	return "unavailable"
}

func encoded(value any) (answer, error) {
	body, err := json.Marshal(value)
	if err != nil {
		return answer{}, fmt.Errorf("encode %T: %w", value, err)
	}
	return answer{body: body, headers: [][2]string{{"Cache-Control", "no-store"}}}, nil
}
