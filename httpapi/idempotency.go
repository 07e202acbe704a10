package httpapi

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/queuecommerce/queuecommerce/actors/domain"
)

// isKey says whether the header is a key: 1 to 255 printable ASCII characters.
func isKey(b []byte) bool {
	if len(b) == 0 || len(b) > 255 {
		return false
	}
	for _, c := range b {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// mac of the parts under the installation's secret. A key, which comes last, holds no newline.
func (s *Server) mac(parts ...string) [sha256.Size]byte {
	return s.secret.Sum([]byte(strings.Join(parts, "\n")))
}

// commandID is the name of the client's intent: the same for the same principal and key, else new.
func (c *call) commandID() (string, error) {
	if c.key != "" {
		sum := c.mac(c.principal, c.key)
		return base64.RawURLEncoding.EncodeToString(sum[:])[:22], nil
	}
	var raw [16]byte
	if err := c.random(raw[:]); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(raw[:]), nil
}

// keyClaim is the identity of the claim that remembers what was first made under the client's key.
func (c *call) keyClaim() string {
	sum := c.mac(c.principal, c.key)
	return "key/" + base64.RawURLEncoding.EncodeToString(sum[:])[:22]
}

// fingerprint of what the client sent: the route, what its path names, and the body, however it was laid out.
func (c *call) fingerprint() (string, error) {
	h := sha256.New()
	fmt.Fprintf(h, "%s %s", c.op.method, c.op.path)
	for _, name := range c.fiber.Route().Params {
		fmt.Fprintf(h, "\n%q", c.fiber.Params(name))
	}
	if c.body != nil {
		body, err := json.Marshal(c.body)
		if err != nil {
			return "", fmt.Errorf("encode a body for its fingerprint: %w", err)
		}
		_, _ = h.Write([]byte{'\n'})
		_, _ = h.Write(body)
	}
	var sum [sha256.Size]byte
	return base64.RawURLEncoding.EncodeToString(h.Sum(sum[:0]))[:16], nil
}

// orderID makes the new order's _id. With a key its tail is the key's, so that a repeat reaches the same entity.
func (c *call) orderID() (string, error) {
	if c.key == "" {
		return c.newID()
	}
	sum := c.mac("order", c.principal, c.key)
	return domain.NewID(domain.At(c.now), [8]byte(sum[:8])), nil
}

// newID makes an _id that nobody has.
func (c *call) newID() (string, error) {
	var raw [4]byte
	if err := c.random(raw[:]); err != nil {
		return "", err
	}
	return domain.NewID(domain.At(c.now), domain.SortableTail(c.now, raw)), nil
}

func (s *Server) random(b []byte) error {
	if _, err := io.ReadFull(s.config.Random, b); err != nil {
		return fmt.Errorf("read randomness: %w", err)
	}
	return nil
}
