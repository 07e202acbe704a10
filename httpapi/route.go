package httpapi

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

// operation describes a route: for the OpenAPI document, and for what is done before and after its handler.
type operation struct {
	id, method, path, tag string
	summary, description  string
	scope                 string // the permission that a Guard asks for
	status                int    // of a success
	answer                any    // zero value of the answer's type; nil: no JSON body
	array                 bool   // the answer is a bare array of that type
	refusals              []int  // statuses beside those that every route has
	keyed                 bool   // takes an Idempotency-Key
	matched               bool   // takes If-Match
	tagged                bool   // answers with an ETag
	located, linked       bool   // answers with Location, with Link
	prefers               bool   // takes Prefer: wait
	bare                  bool   // the body may be left out
	patience              time.Duration
}

// answer of a handler that succeeded.
type answer struct {
	status      int    // 0: the operation's
	body        []byte // written as it is
	contentType string // empty: JSON
	version     uint64 // 0: no ETag
	headers     [][2]string
}

func (a *answer) header(name, value string) { a.headers = append(a.headers, [2]string{name, value}) }

// call is one request on its way through a handler.
type call struct {
	*Server
	ctx       context.Context
	op        *operation
	fiber     *fiber.Ctx
	visit     *visit
	now       time.Time
	principal string
	key       string // Idempotency-Key, empty: none
	match     precondition
	body      any // pointer to the decoded body; nil: none
}

// route registers an operation: documented in OpenAPI, guarded, bound to I, and answered with what serve returns.
func route[I any](s *Server, op operation, serve func(*call, *I) (answer, error)) {
	documented := op.document(s)
	bind := bindingOf(s.document.Components.Schemas, reflect.TypeFor[I](), documented, op.bare)
	s.document.AddOperation(documented)
	handle := func(fc *fiber.Ctx) error {
		c := call{Server: s, op: &op, fiber: fc, now: s.config.Clock(), visit: visitOf(fc)}
		c.visit.operation = op.id
		ctx, cancel := context.WithTimeout(s.base, c.patience())
		defer cancel()
		c.ctx = ctx
		var input I
		if err := c.admit(bind, reflect.ValueOf(&input).Elem()); err != nil {
			return err
		}
		a, err := serve(&c, &input)
		if err != nil {
			return err
		}
		c.reply(a)
		return nil
	}
	path := parameters.Replace(op.path)
	s.app.Add(op.method, path, handle)
	if op.method == http.MethodGet {
		s.app.Add(http.MethodHead, path, handle)
	}
}

// parameters turns a path as OpenAPI writes it, such as /orders/{id}, into one as Fiber does.
var parameters = strings.NewReplacer("{", ":", "}", "")

func (c *call) patience() time.Duration {
	if c.op.patience > 0 {
		return c.op.patience
	}
	if c.op.prefers {
		return c.config.Limits.Deadline + maxWait
	}
	return c.config.Limits.Deadline
}

// admit does what comes before every handler: guard, headers, path, query, body.
func (c *call) admit(bind *binding, input reflect.Value) error {
	if guard := c.config.Guard; guard != nil {
		principal, err := guard.Admit(c.ctx, Visit{Operation: c.op.id, Scope: c.op.scope, Remote: c.fiber.IP(),
			Header: func(name string) string { return c.fiber.Get(name) }})
		if err != nil {
			return err
		}
		c.principal = principal
	}
	if err := bind.bindPath(input, func(name string) string { return c.fiber.Params(name) }); err != nil {
		return err
	}
	if err := c.readHeaders(); err != nil {
		return err
	}
	if err := bind.bindQuery(input, c.fiber.Context().QueryArgs()); err != nil {
		return err
	}
	if err := bind.bindBody(input, c.fiber.Request()); err != nil {
		return err
	}
	if bind.index >= 0 {
		c.body = input.Field(bind.index).Addr().Interface()
	}
	return nil
}

func (c *call) readHeaders() error {
	if c.op.keyed {
		if header := c.fiber.Request().Header.Peek("Idempotency-Key"); header != nil {
			if !isKey(header) {
				return badRequest("idempotency_key", "Idempotency-Key must be 1 to 255 printable ASCII characters")
			}
			c.key = string(header)
		}
	}
	if c.op.matched {
		match, err := parseIfMatch(c.fiber.Request().Header.PeekAll(fiber.HeaderIfMatch))
		if err != nil {
			return err
		}
		c.match = match
	}
	return nil
}

func (c *call) reply(a answer) {
	response := c.fiber.Response()
	if a.status == 0 {
		a.status = c.op.status
	}
	for _, h := range a.headers {
		response.Header.Set(h[0], h[1])
	}
	if a.version > 0 {
		tag := entityTag(a.version)
		response.Header.Set(fiber.HeaderETag, tag)
		if c.op.method == http.MethodGet && noneMatches(c.fiber.Request().Header.PeekAll(fiber.HeaderIfNoneMatch), tag) {
			response.SetStatusCode(http.StatusNotModified)
			return
		}
	}
	response.SetStatusCode(a.status)
	if a.status == http.StatusNoContent {
		return
	}
	if a.contentType == "" {
		a.contentType = fiber.MIMEApplicationJSON
	}
	response.Header.SetContentType(a.contentType)
	response.SetBodyRaw(a.body)
}

// fail writes an error as a problem. It is the only place that logs it.
func (s *Server) fail(c *fiber.Ctx, err error) {
	p := s.problemOf(c, err)
	own := *p // a Guard may hand out one Problem to many requests
	own.Instance = instanceOf(c)
	for name, value := range own.header {
		c.Set(name, value)
	}
	c.Response().SetStatusCode(own.Status)
	c.Response().Header.SetContentType(problemType)
	c.Response().SetBodyRaw(own.encode())
}

// instanceOf is the path of the request, whatever prefix it came under; "/" when there was none that could be read.
func instanceOf(c *fiber.Ctx) string {
	return cmp.Or(strings.ToValidUTF8(c.Path(), "\uFFFD"), "/")
}

func (s *Server) problemOf(c *fiber.Ctx, err error) *Problem {
	var (
		p      *Problem
		no     refused
		gone   away
		status *fiber.Error
	)
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &no):
		p = no.problem()
	case errors.As(err, &gone):
		p = gone.problem()
	case errors.As(err, &status):
		return statusProblem(status.Code)
	case errors.Is(err, context.DeadlineExceeded):
		p = away{}.problem()
	default:
		p = NewProblem(http.StatusInternalServerError, "internal", genericFailure)
	}
	if p.Status >= http.StatusInternalServerError {
		v := visitOf(c)
		s.config.Logger.LogAttrs(context.Background(), failureLevel(p.Status), "request failed", slog.String("operation", v.operation),
			slog.Int("status", p.Status), slog.String("request_id", v.request), slog.String("err", err.Error()))
	}
	return p
}

func failureLevel(status int) slog.Level {
	if status == http.StatusServiceUnavailable {
		return slog.LevelWarn // passing, and told to the client as such
	}
	return slog.LevelError
}

// statusProblem is the problem for what the router and the HTTP server themselves refuse.
func statusProblem(status int) *Problem {
	switch status {
	case http.StatusNotFound:
		return notFound("route_not_found", "there is nothing under this path")
	case http.StatusMethodNotAllowed:
		return NewProblem(status, "method_not_allowed", "this path does not know this method")
	case http.StatusRequestEntityTooLarge:
		return NewProblem(status, "body_too_large", "the body is too large")
	case http.StatusRequestHeaderFieldsTooLarge:
		return NewProblem(status, "header_too_large", "the headers are too large")
	case http.StatusRequestTimeout:
		return NewProblem(status, "request_timeout", "the request did not arrive in time")
	}
	return NewProblem(http.StatusBadRequest, "bad_request", "this is not a request that the server understands")
}

func entityTag(version uint64) string { return `"` + strconv.FormatUint(version, 10) + `"` }

// cause is what the timeline says of a command that came through this route.
func (o *operation) cause() string { return o.method + " " + o.path }
