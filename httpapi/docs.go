package httpapi

import (
	"bytes"
	"compress/gzip"
	"embed"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp/fasthttpadaptor"
)

// Swagger UI, as README.md beside it says, so that the page works without the internet.
//
//go:embed swaggerui/*.gz
var swaggerUI embed.FS

const docsPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>QueueCommerce API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{prefix}/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<noscript>This page needs JavaScript. The description of the API is at {prefix}/openapi.json.</noscript>
<script src="{prefix}/docs/swagger-ui-bundle.js"></script>
<script src="{prefix}/docs/start.js" data-description="{prefix}/openapi.json"></script>
</body>
</html>
`

const docsScript = `"use strict";
SwaggerUIBundle({
  url: document.currentScript.dataset.description,
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  filter: true,
  validatorUrl: null,
});
`

// docsPolicy lets the page reach nothing but this server.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// documentRoutes are those that describe the API; they are not part of it, so OpenAPI does not list them.
func (s *Server) documentRoutes() {
	s.page("/openapi.json", "getOpenAPI", func(c *fiber.Ctx) error { return send(c, fiber.MIMEApplicationJSON, s.openAPI) })
	if len(s.config.AsyncAPI) > 0 {
		s.page("/asyncapi.json", "getAsyncAPI", func(c *fiber.Ctx) error { return send(c, fiber.MIMEApplicationJSON, s.config.AsyncAPI) })
	}
	if s.config.Metrics != nil {
		metrics := fasthttpadaptor.NewFastHTTPHandler(s.config.Metrics)
		s.page("/metrics", "getMetrics", func(c *fiber.Ctx) error { metrics(c.Context()); return nil })
	}
	s.page("/docs", "getDocs", func(c *fiber.Ctx) error {
		c.Set("Content-Security-Policy", docsPolicy)
		return send(c, "text/html; charset=utf-8", []byte(strings.ReplaceAll(docsPage, "{prefix}", visitOf(c).prefix)))
	})
	const script = "text/javascript; charset=utf-8"
	s.page("/docs/start.js", "getDocs", func(c *fiber.Ctx) error { return send(c, script, []byte(docsScript)) })
	s.page("/docs/swagger-ui-bundle.js", "getDocs", compressed("swagger-ui-bundle.js", script))
	s.page("/docs/swagger-ui.css", "getDocs", compressed("swagger-ui.css", "text/css; charset=utf-8"))
}

func (s *Server) page(path, operation string, handle fiber.Handler) {
	named := func(c *fiber.Ctx) error {
		visitOf(c).operation = operation
		return handle(c)
	}
	s.app.Add(http.MethodGet, path, named)
	s.app.Add(http.MethodHead, path, named)
}

func send(c *fiber.Ctx, contentType string, body []byte) error {
	c.Response().Header.SetContentType(contentType)
	c.Response().SetBodyRaw(body)
	return nil
}

// compressed sends an embedded file, decompressed only for a client that can't do that itself.
func compressed(name, contentType string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		packed, err := swaggerUI.ReadFile("swaggerui/" + name + ".gz")
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		c.Set(fiber.HeaderCacheControl, "public, max-age=3600")
		c.Vary(fiber.HeaderAcceptEncoding)
		if c.Request().Header.HasAcceptEncoding("gzip") {
			c.Set(fiber.HeaderContentEncoding, "gzip")
			return send(c, contentType, packed)
		}
		plain, err := unpack(packed)
		if err != nil {
			return fmt.Errorf("unpack %s: %w", name, err)
		}
		return send(c, contentType, plain)
	}
}

func unpack(packed []byte) ([]byte, error) {
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(reader)
}
