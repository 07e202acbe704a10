package mongotest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// keeper runs a program until its own standard input ends, then ends it and removes its data.
const keeper = `data=$1; shift; "$@" & pid=$!; cat >/dev/null; kill "$pid"; wait "$pid"; rm -rf "$data"`

// startMongod starts a replica set of one on a free port, with its data in a temporary folder.
func startMongod(ctx context.Context, path string) (*Server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	data, err := os.MkdirTemp("", "mongod-test-")
	if err != nil {
		return nil, err
	}
	address := fmt.Sprintf("127.0.0.1:%d", port)
	command := exec.Command("sh", "-c", keeper, "sh", data, path, "--replSet", "test", "--bind_ip", "127.0.0.1",
		"--port", fmt.Sprint(port), "--dbpath", data, "--nounixsocket", "--quiet")
	p, err := launch(command, nil)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", path, err), os.RemoveAll(data))
	}
	s := &Server{uri: "mongodb://" + address + "/?directConnection=true", process: p}
	if err := initiate(ctx, s.uri, address); err != nil {
		return nil, errors.Join(fmt.Errorf("replica set of one at %s: %w: %s", address, err, p.output.String()), p.stop())
	}
	return s, nil
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return listener.Addr().(*net.TCPAddr).Port, listener.Close()
}

// initiate makes the server the primary of its own set and waits until it is.
func initiate(ctx context.Context, uri, address string) error {
	client, err := mongo.Connect(options.Client().ApplyURI(uri).SetServerSelectionTimeout(30 * time.Second))
	if err != nil {
		return err
	}
	set := bson.D{{Key: "_id", Value: "test"}, {Key: "members", Value: bson.A{
		bson.D{{Key: "_id", Value: 0}, {Key: "host", Value: address}},
	}}}
	err = client.Database("admin").RunCommand(ctx, bson.D{{Key: "replSetInitiate", Value: set}}).Err()
	for err == nil {
		var hello struct {
			Writable bool `bson:"isWritablePrimary"`
		}
		err = client.Database("admin").RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&hello)
		if hello.Writable {
			break
		}
		select {
		case <-ctx.Done():
			err = errors.Join(err, ctx.Err())
		case <-time.After(pingEvery):
		}
	}
	return errors.Join(err, client.Disconnect(context.WithoutCancel(ctx)))
}
