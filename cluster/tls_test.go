package cluster_test

import (
	"crypto/tls"
	"crypto/x509"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/cluster"
	"github.com/queuecommerce/queuecommerce/cluster/clustertest"
	"github.com/queuecommerce/queuecommerce/messages"
)

// mutual is what a member needs that only talks to those with a certificate of the same authority, or of another one.
func mutual(t *testing.T, authority *clustertest.Authority, others ...*clustertest.Authority) *tls.Config {
	t.Helper()
	own, err := tls.X509KeyPair(authority.Issue(t, "127.0.0.1"))
	require.NoError(t, err)
	pool := x509.NewCertPool()
	for _, trusted := range append(others, authority) {
		require.True(t, pool.AppendCertsFromPEM(trusted.PEM))
	}
	return &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: pool, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
		Certificates: []tls.Certificate{own}}
}

func with(config *tls.Config) func(*cluster.Config) {
	return func(c *cluster.Config) { c.TLS = config }
}

func TestMembersWithCertificatesOfOneAuthorityTalk(t *testing.T) {
	s := newShop(t)
	authority := clustertest.NewAuthority(t)
	a, b := s.join("a", with(mutual(t, authority))), s.join("b", with(mutual(t, authority)))
	s.settled(2, a, b)
	for _, m := range []*member{a, b} {
		reply, err := m.Client().Ask(t.Context(), "entity", s.owned(b, "far"), &messages.Command{})
		require.NoError(t, err)
		assert.Equal(t, "b", string(reply.GetDocument()))
	}
}

func TestAMemberThatTheOthersDoNotTrustCanNotJoin(t *testing.T) {
	ours, other := clustertest.NewAuthority(t), clustertest.NewAuthority(t)
	for name, row := range map[string]struct {
		there, joins *tls.Config
		refused      string
	}{
		"it does not accept theirs":  {mutual(t, ours), mutual(t, other), "signed by unknown authority"},
		"they do not accept its own": {mutual(t, ours), mutual(t, other, ours), "unknown certificate authority"},
		"they have none":             {nil, mutual(t, ours), "has no certificate"},
		"it has none":                {mutual(t, ours), nil, "wants certificates"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			there := s.join("there", with(row.there))
			_, err := s.tryJoin("joins", with(row.joins))
			assert.ErrorContains(t, err, row.refused)
			s.settled(1, there)
		})
	}
}

// TestAMemberTalksToNobodyWithoutACertificateOfItsAuthority: both ends verify, not only that of who joins.
func TestAMemberTalksToNobodyWithoutACertificateOfItsAuthority(t *testing.T) {
	s := newShop(t)
	ours, other := clustertest.NewAuthority(t), clustertest.NewAuthority(t)
	addr := s.join("a", with(mutual(t, ours))).Members()[0].Addr
	trusting := mutual(t, ours)
	for refusal, config := range map[string]*tls.Config{
		"certificate required":           {RootCAs: trusting.RootCAs},
		"unknown certificate authority":  {RootCAs: trusting.RootCAs, Certificates: mutual(t, other).Certificates},
		"protocol version not supported": {RootCAs: trusting.RootCAs, Certificates: trusting.Certificates, MaxVersion: tls.VersionTLS12},
	} {
		t.Run(refusal, func(t *testing.T) {
			config.NextProtos = []string{"h2"}
			connection, err := tls.Dial("tcp", addr, config)
			if err == nil { // a client learns with its first read that its certificate was refused
				defer connection.Close() //nolint:errcheck // it was refused
				_, err = connection.Read(make([]byte, 1))
			}
			assert.ErrorContains(t, err, refusal)
		})
	}
	_, err := tls.Dial("tcp", addr, mutual(t, other))
	assert.ErrorContains(t, err, "unknown authority")
}
