package main

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
)

// clusterTLS is by what members know each other: both ends of a connection want a certificate of the authority, and who
// dials wants it to be for the host that it has dialled. Nil: members let everybody in, or this process has no address
// for them.
func (c Config) clusterTLS() (*tls.Config, error) {
	switch {
	case c.ClusterTLSCert == "" && c.ClusterTLSKey == "" && c.ClusterTLSCA == "":
		return nil, nil
	case c.ClusterTLSCert == "" || c.ClusterTLSKey == "" || c.ClusterTLSCA == "":
		return nil, errors.New("CLUSTER_TLS_CERT, CLUSTER_TLS_KEY and CLUSTER_TLS_CA need each other: all three or none")
	case c.ClusterListen == "":
		return nil, nil
	}
	own, err := c.clusterCertificate()
	if err != nil {
		return nil, err
	}
	authority, err := os.ReadFile(c.ClusterTLSCA)
	if err != nil {
		return nil, fmt.Errorf("CLUSTER_TLS_CA: %w", err)
	}
	members := x509.NewCertPool()
	if !members.AppendCertsFromPEM(authority) {
		return nil, fmt.Errorf("CLUSTER_TLS_CA: no certificate in %s", c.ClusterTLSCA)
	}
	host, _, _ := net.SplitHostPort(cmp.Or(c.ClusterAdvertise, c.ClusterListen)) // Validate tells of a fault
	if err := acceptable(own, members, host); err != nil {
		return nil, fmt.Errorf("CLUSTER_TLS_CERT: other members would not accept it: %w", err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{own}, RootCAs: members,
		ClientCAs: members, ClientAuth: tls.RequireAndVerifyClientCert}, nil
}

func (c Config) clusterCertificate() (own tls.Certificate, err error) {
	certificate, err := os.ReadFile(c.ClusterTLSCert)
	if err != nil {
		return own, fmt.Errorf("CLUSTER_TLS_CERT: %w", err)
	}
	private, err := os.ReadFile(c.ClusterTLSKey)
	if err != nil {
		return own, fmt.Errorf("CLUSTER_TLS_KEY: %w", err)
	}
	if own, err = tls.X509KeyPair(certificate, private); err != nil {
		return own, fmt.Errorf("CLUSTER_TLS_CERT and CLUSTER_TLS_KEY: %w", err)
	}
	return own, nil
}

// acceptable says whether the other members accept the certificate from who dials them, and from whom they dial at host.
func acceptable(own tls.Certificate, members *x509.CertPool, host string) error {
	between := x509.NewCertPool()
	for _, der := range own.Certificate[1:] {
		issuer, err := x509.ParseCertificate(der)
		if err != nil {
			return err
		}
		between.AddCert(issuer)
	}
	for _, usage := range []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth} {
		_, err := own.Leaf.Verify(x509.VerifyOptions{Roots: members, Intermediates: between, DNSName: host, KeyUsages: []x509.ExtKeyUsage{usage}})
		if err != nil {
			return err
		}
	}
	return nil
}
