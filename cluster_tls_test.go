package main

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/cluster/clustertest"
)

// files writes what members need into a folder of its own, and names it in the configuration.
func files(t *testing.T, certificate, private, authority []byte) func(*Config) {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, content, 0o600))
		return path
	}
	cert, key, ca := write("cert.pem", certificate), write("key.pem", private), write("ca.pem", authority)
	return func(c *Config) {
		c.ClusterListen = "127.0.0.1:0"
		c.ClusterTLSCert, c.ClusterTLSKey, c.ClusterTLSCA = cert, key, ca
	}
}

func TestWhatMembersWouldNotAcceptIsAFaultInTheConfiguration(t *testing.T) {
	authority, other := clustertest.NewAuthority(t), clustertest.NewAuthority(t)
	good, private := authority.Issue(t, "127.0.0.1")
	_, another := authority.Issue(t, "127.0.0.1")
	issued := func(from *clustertest.Authority, changes ...func(*x509.Certificate)) func(*Config) {
		certificate, private := from.Issue(t, "127.0.0.1", changes...)
		return files(t, certificate, private, authority.PEM)
	}
	for name, row := range map[string]struct {
		files  func(*Config)
		change func(*Config)
		want   string
	}{
		"no certificate":          {change: func(c *Config) { c.ClusterTLSCert = "" }, want: "all three or none"},
		"no key":                  {change: func(c *Config) { c.ClusterTLSKey = "" }, want: "all three or none"},
		"no authority":            {change: func(c *Config) { c.ClusterTLSCA = "" }, want: "all three or none"},
		"certificate is missing":  {change: func(c *Config) { c.ClusterTLSCert += "x" }, want: "CLUSTER_TLS_CERT: open "},
		"key is missing":          {change: func(c *Config) { c.ClusterTLSKey += "x" }, want: "CLUSTER_TLS_KEY: open "},
		"authority is missing":    {change: func(c *Config) { c.ClusterTLSCA += "x" }, want: "CLUSTER_TLS_CA: open "},
		"certificate is none":     {files: files(t, []byte("none"), private, authority.PEM), want: "CLUSTER_TLS_CERT and CLUSTER_TLS_KEY: tls: failed to find any PEM data"},
		"authority is none":       {files: files(t, good, private, []byte("none")), want: "CLUSTER_TLS_CA: no certificate in "},
		"key of another":          {files: files(t, good, another, authority.PEM), want: "private key does not match public key"},
		"of another authority":    {files: issued(other), want: "CLUSTER_TLS_CERT: other members would not accept it: x509: certificate signed by unknown authority"},
		"expired":                 {files: issued(authority, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }), want: "expired"},
		"not for who dials":       {files: issued(authority, func(c *x509.Certificate) { c.ExtKeyUsage = c.ExtKeyUsage[:1] }), want: "key usage"},
		"not for who is dialled":  {files: issued(authority, func(c *x509.Certificate) { c.ExtKeyUsage = c.ExtKeyUsage[1:] }), want: "key usage"},
		"for another host":        {change: func(c *Config) { c.ClusterListen = "127.0.0.2:0" }, want: "certificate is valid for 127.0.0.1, not 127.0.0.2"},
		"advertises another host": {change: func(c *Config) { c.ClusterAdvertise = "member-1:4000" }, want: "but wanted to match member-1"},
	} {
		t.Run(name, func(t *testing.T) {
			environment(t, nil)
			config, err := loadConfig()
			require.NoError(t, err)
			for _, change := range []func(*Config){files(t, good, private, authority.PEM), row.files, row.change} {
				if change != nil {
					change(&config)
				}
			}
			assert.ErrorContains(t, config.Validate(), row.want)
		})
	}
}

func TestCommandsThatAreNoMembersNeedNoCertificate(t *testing.T) {
	environment(t, map[string]string{"CLUSTER_TLS_CERT": "missing", "CLUSTER_TLS_KEY": "missing", "CLUSTER_TLS_CA": "missing"})
	_, err := loadConfig()
	assert.NoError(t, err)
}

func TestAMemberWithACertificateTalksToNobodyWithoutOne(t *testing.T) {
	authority := clustertest.NewAuthority(t)
	certificate, private := authority.Issue(t, "127.0.0.1")
	s := open(t, files(t, certificate, private, authority.PEM))
	config, err := s.config.clusterTLS()
	require.NoError(t, err)
	config.NextProtos = []string{"h2"}
	for refusal, own := range map[string][]tls.Certificate{"": config.Certificates, "certificate required": nil} {
		config.Certificates = own
		connection, err := tls.Dial("tcp", s.app.member.Members()[0].Addr, config)
		require.NoError(t, err)
		_, err = connection.Read(make([]byte, 1)) // a client learns with its first read that its certificate was missed
		if refusal == "" {
			assert.NoError(t, err)
		} else {
			assert.ErrorContains(t, err, refusal)
		}
		assert.NoError(t, connection.Close())
	}
}
