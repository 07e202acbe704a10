// Package mongotest gives tests a MongoDB server: the one that MONGODB_TEST_URI names (it must answer), else a mongod
// from PATH as a replica set of one, else mongo-java-server, an independent double that deploy/setup/mongo-double.sh
// fetches. It never skips: without a server, Start returns an error that says what is missing. Callers give each test a
// prefix of its own, so that tests share one server.
package mongotest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
)

const (
	variable   = "MONGODB_TEST_URI"
	startLimit = 90 * time.Second
	pingEvery  = 50 * time.Millisecond
)

// Server is a server that takes writes.
type Server struct {
	uri     string
	process *process // nil when it is not ours
}

// Start starts or finds a server and waits until it takes writes. A server that Start started ends with Stop, or with
// the test's process, however that ends.
func Start() (*Server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	if uri := os.Getenv(variable); uri != "" {
		if err := answers(ctx, uri, 5*time.Second); err != nil {
			return nil, fmt.Errorf("%s is set, but no server takes writes there: %w", variable, err)
		}
		return &Server{uri: uri}, nil
	}
	if path, err := exec.LookPath("mongod"); err == nil {
		return startMongod(ctx, path)
	}
	return startDouble(ctx)
}

// URI is how to connect.
func (s *Server) URI() string { return s.uri }

// Via is how to connect to the server through another address, behind which a proxy stands.
func (s *Server) Via(address string) string {
	scheme, rest, _ := strings.Cut(s.uri, "://")
	hosts, query, _ := strings.Cut(rest, "?")
	hosts, database, _ := strings.Cut(hosts, "/")
	credentials := hosts[:strings.LastIndex(hosts, "@")+1]
	var kept []string
	for option := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(option, "=")
		if name != "" && !strings.EqualFold(name, "directConnection") && !strings.EqualFold(name, "replicaSet") {
			kept = append(kept, option)
		}
	}
	kept = append(kept, "directConnection=true")
	return scheme + "://" + credentials + address + "/" + database + "?" + strings.Join(kept, "&")
}

// Primary is host:port of the server that takes writes, for proxies.
func (s *Server) Primary(ctx context.Context) (string, error) {
	opts := options.Client().ApplyURI(s.uri)
	client, err := mongo.Connect(opts)
	if err != nil {
		return "", err
	}
	var hello struct {
		Primary string `bson:"primary"`
	}
	// The old name of the command: the double knows no other.
	err = client.Database("admin").RunCommand(ctx, bson.D{{Key: "isMaster", Value: 1}}).Decode(&hello)
	if err := errors.Join(err, client.Disconnect(context.WithoutCancel(ctx))); err != nil {
		return "", fmt.Errorf("ask for the primary: %w", err)
	}
	if hello.Primary == "" {
		return opts.Hosts[0], nil // no replica set
	}
	return hello.Primary, nil
}

// Stop ends the server if Start started it.
func (s *Server) Stop() error {
	if s.process == nil {
		return nil
	}
	return s.process.stop()
}

// Prefix makes a name for databases that no other test has. The databases whose names begin with it go when the test
// ends.
func (s *Server) Prefix(t testing.TB) string {
	t.Helper()
	var random [6]byte
	rand.Read(random[:])
	prefix := "test_" + hex.EncodeToString(random[:])
	t.Cleanup(func() {
		if err := s.drop(prefix); err != nil {
			t.Errorf("drop databases of the test: %v", err)
		}
	})
	return prefix
}

func (s *Server) drop(prefix string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	client, err := mongo.Connect(options.Client().ApplyURI(s.uri))
	if err != nil {
		return err
	}
	names, err := client.ListDatabaseNames(ctx, bson.D{})
	for _, name := range names {
		if strings.HasPrefix(name, prefix) {
			err = errors.Join(err, client.Database(name).Drop(ctx))
		}
	}
	return errors.Join(err, client.Disconnect(ctx))
}

// answers waits until a primary answers.
func answers(ctx context.Context, uri string, limit time.Duration) error {
	client, err := mongo.Connect(options.Client().ApplyURI(uri).SetServerSelectionTimeout(limit))
	if err != nil {
		return err
	}
	return errors.Join(client.Ping(ctx, readpref.Primary()), client.Disconnect(ctx))
}
