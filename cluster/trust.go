package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// trusted finds out whether this member and the others would talk with each other. One that joined without that would own
// entities that nobody reaches.
func (m *Member) trusted(ctx context.Context) error {
	leases, now, err := m.config.Leases.Leases(ctx)
	if err != nil {
		return err
	}
	faults := make([]error, len(leases))
	var calls sync.WaitGroup
	for i, l := range leases {
		if l.Addr != m.self.Addr && l.Expires.After(now) {
			calls.Go(func() { faults[i] = distrust(ctx, l.Addr, m.config.TLS) })
		}
	}
	calls.Wait()
	return errors.Join(faults...)
}

// distrust returns why the member at the address does not accept this one, or this one does not accept it. A member that
// does not answer is no reason, and neither is a certificate that has expired: to replace it, others have to join.
func distrust(ctx context.Context, addr string, config *tls.Config) error {
	own := config
	if own == nil {
		own = &tls.Config{InsecureSkipVerify: true} // all that matters is whether it answers: it is told nothing
	}
	err := shakeHands(ctx, addr, own)
	var stranger x509.UnknownAuthorityError
	var plain tls.RecordHeaderError
	var alert *net.OpError
	refused := errors.As(err, &alert) && alert.Op == "remote error"
	switch {
	case config == nil && (err == nil || refused):
		return fmt.Errorf("the member at %s wants certificates, and this one has none", addr)
	case config != nil && errors.As(err, &plain):
		return fmt.Errorf("the member at %s has no certificate: %w", addr, err)
	case refused, errors.As(err, &stranger):
		return fmt.Errorf("this member and the one at %s do not accept each other's certificates: %w", addr, err)
	}
	return nil
}

// shakeHands returns what comes of a TLS handshake, at both ends.
func shakeHands(ctx context.Context, addr string, config *tls.Config) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	config = config.Clone()
	config.NextProtos = []string{"h2"}
	connection, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer connection.Close() //nolint:errcheck // nothing was sent
	_ = connection.SetReadDeadline(time.Now().Add(probeTimeout))
	_, err = connection.Read(make([]byte, 1)) // with its first read a client learns what the server thinks of it
	return err
}
