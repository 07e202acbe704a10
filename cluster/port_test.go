package cluster_test

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

// closedPort is an address that nobody listens at; silentPort one where connections are taken and nothing is said.
func closedPort(t *testing.T) string {
	t.Helper()
	return silentPort(t).close()
}

type port struct {
	t        *testing.T
	listener net.Listener
}

func silentPort(t *testing.T) port {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := port{t, listener}
	t.Cleanup(func() { _ = listener.Close() })
	return p
}

func (p port) addr() string { return p.listener.Addr().String() }

func (p port) close() string {
	require.NoError(p.t, p.listener.Close())
	return p.addr()
}
