package httpapi

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// visit is what is known of a request from its arrival on.
type visit struct {
	passport
	prefix    string // what was cut off its path, such as "/api/v1"
	operation string // id of the operation, empty: none matched
}

type visitKey struct{}

// visitOf returns the request's visit; what the HTTP server itself refuses never had one.
func visitOf(c *fiber.Ctx) *visit {
	if v, ok := c.Context().UserValue(visitKey{}).(*visit); ok {
		return v
	}
	return &visit{}
}

// serve is the way of every request: given an identity, counted, brought to its route, measured and logged.
func (s *Server) serve(rc *fasthttp.RequestCtx) {
	start := time.Now()
	v := &visit{}
	rc.SetUserValue(visitKey{}, v)
	v.prefix = cutPrefix(rc.Request.URI())
	header := &rc.Request.Header
	passport, err := issue(s.config.Random, header.Peek(requestHeader), header.Peek(traceHeader))
	v.passport = passport
	switch {
	case err != nil:
		s.failEarly(rc, err)
	case !known(header.Method()):
		s.failEarly(rc, fiber.NewError(http.StatusMethodNotAllowed))
	case isLongURI(rc):
		s.failEarly(rc, NewProblem(http.StatusRequestURITooLong, "uri_too_long", "the request's URI is too long"))
	default:
		s.admitted(rc)
	}
	rc.Response.Header.Set(requestHeader, v.request)
	rc.Response.Header.Set(traceHeader, v.trace)
	rc.Response.Header.Set("X-Content-Type-Options", "nosniff")
	if s.draining.Load() {
		rc.SetConnectionClose() // whoever keeps connections opens the next one elsewhere
	}
	s.account(rc, v, time.Since(start))
}

// admitted routes a request while there is room for it.
func (s *Server) admitted(rc *fasthttp.RequestCtx) {
	if s.inFlight.Add(1) > int64(s.config.Limits.InFlight) && !isHealth(rc.Request.URI().PathOriginal()) {
		s.failEarly(rc, unavailable("overloaded", "the server has too much to do; try again soon"))
	} else {
		s.contained(rc)
	}
	s.inFlight.Add(-1)
}

// contained turns a panic of a handler into a 500.
func (s *Server) contained(rc *fasthttp.RequestCtx) {
	defer func() {
		if cause := recover(); cause != nil {
			rc.Response.Reset()
			s.failEarly(rc, fmt.Errorf("panic: %v\n%s", cause, debug.Stack()))
		}
	}()
	s.router(rc)
}

// failEarly writes a problem without a route.
func (s *Server) failEarly(rc *fasthttp.RequestCtx, err error) {
	c := s.app.AcquireCtx(rc)
	defer s.app.ReleaseCtx(c)
	s.fail(c, err)
}

// account measures and logs a request. The path stays out: it can hold a customer's id.
func (s *Server) account(rc *fasthttp.RequestCtx, v *visit, took time.Duration) {
	status := rc.Response.StatusCode()
	s.meter.observe(v.operation, status, took)
	level := slog.LevelDebug
	if status >= 500 {
		level = slog.LevelWarn
	}
	s.config.Logger.LogAttrs(context.Background(), level, "request answered",
		slog.String("method", methodName(rc.Request.Header.Method())), slog.String("operation", v.operation),
		slog.Int("status", status), slog.Duration("took", took), slog.Int("bytes", len(rc.Response.Body())),
		slog.String("request_id", v.request), slog.String("traceparent", v.trace))
}

// cutPrefix removes the prefixes under which the same routes are served too, and returns what it cut.
func cutPrefix(uri *fasthttp.URI) string {
	const api, services = "/api/v1", "/services/"
	path := string(uri.PathOriginal())
	rest, ok := strings.CutPrefix(path, api)
	if !ok || (rest != "" && rest[0] != '/') {
		return ""
	}
	if name, ok := strings.CutPrefix(rest, services); ok {
		for _, service := range []string{"order", "inventory", "payment"} {
			if inner, ok := strings.CutPrefix(name, service+"/"); ok {
				rest = "/" + inner
				break
			}
		}
	}
	prefix := path[:len(path)-len(rest)]
	if rest == "" {
		rest = "/"
	}
	uri.SetPath(rest)
	return prefix
}

const maxURI = 8 << 10

func isLongURI(rc *fasthttp.RequestCtx) bool { return len(rc.Request.Header.RequestURI()) > maxURI }

func isHealth(path []byte) bool {
	return string(path) == "/health" || strings.HasPrefix(string(path), "/health/") || string(path) == "/metrics"
}

func known(method []byte) bool { return methodName(method) != otherMethod }

const otherMethod = "other"

// methodName keeps what a client makes up out of logs and labels.
func methodName(method []byte) string {
	switch name := string(method); name {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions, http.MethodTrace, http.MethodConnect:
		return name
	}
	return otherMethod
}
