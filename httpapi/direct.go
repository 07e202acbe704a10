package httpapi

import (
	"context"
	"fmt"
	"net/http"

	"github.com/valyala/fasthttp"

	"github.com/queuecommerce/queuecommerce/actors/gateway"
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

// Webhook hands over a signed event of the payment sandbox, on the way that the provider's own events take. An error
// means that it has to be sent again.
func (s *Server) Webhook(_ context.Context, payload []byte, signature string) error {
	status, _ := s.Do(http.MethodPost, "/payments/webhook/stripe", map[string]string{gateway.SignatureHeader: signature}, payload)
	if status != http.StatusOK {
		return fmt.Errorf("webhook answered with %d", status)
	}
	return nil
}
