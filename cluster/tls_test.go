package cluster_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/cluster"
	"github.com/queuecommerce/queuecommerce/messages"
)

// mutual is what members need that only talk to those with the same certificate.
func mutual(t *testing.T) *tls.Config {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(t, err)
	certificate, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(certificate)
	return &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: pool, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: private}}}
}

func TestMembersAuthenticateEachOther(t *testing.T) {
	s := newShop(t)
	config := mutual(t)
	a, b := s.join("a", func(c *cluster.Config) { c.TLS = config }), s.join("b", func(c *cluster.Config) { c.TLS = config })
	s.settled(2, a, b)
	reply, err := a.Client().Ask(t.Context(), "entity", s.owned(b, "far"), &messages.Command{})
	require.NoError(t, err)
	assert.Equal(t, "b", string(reply.GetDocument()))

	anonymous := &tls.Config{RootCAs: config.RootCAs, MinVersion: tls.VersionTLS13}
	connection, err := tls.Dial("tcp", a.Members()[0].Addr, anonymous)
	require.NoError(t, err) // a client learns with its first read that its certificate was missed
	defer func() { assert.NoError(t, connection.Close()) }()
	_, err = connection.Read(make([]byte, 1))
	assert.ErrorContains(t, err, "certificate required")
}
