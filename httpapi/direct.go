package httpapi

import (
	"context"
	"fmt"

	"github.com/valyala/fasthttp"
)

// Do handles one request without a network, in every other way like a request from outside.
func (s *Server) Do(method, path string, header map[string]string, body []byte) (status int, answer []byte) {
	var request fasthttp.Request
	request.Header.SetMethod(method)
	request.SetRequestURI(path)
	request.Header.SetHost("localhost")
	for name, value := range header {
		request.Header.Set(name, value)
	}
	if body != nil {
		request.Header.SetContentType("application/json")
		request.SetBodyRaw(body)
	}
	var rc fasthttp.RequestCtx
	rc.Init(&request, nil, nil)
	s.serve(&rc)
	return rc.Response.StatusCode(), rc.Response.Body()
}

// Webhook takes a signed event of the payment sandbox, as the route takes the provider's. An error means that it has to
// be sent again.
func (s *Server) Webhook(ctx context.Context, payload []byte, signature string) error {
	ctx, cancel := context.WithTimeout(ctx, s.config.Limits.Deadline)
	defer cancel()
	c := call{Server: s, op: &webhookOperation, ctx: ctx, now: s.config.Clock(), visit: &visit{}}
	if err := c.receive(payload, signature); err != nil {
		return fmt.Errorf("receive webhook: %w", err)
	}
	return nil
}
