package cluster

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
)

const (
	// maxMessage is far above any batch that Proto.Actor makes of commands. A larger one would end the connection with
	// everything queued on it.
	maxMessage = 64 << 20
	// writeBatch and writeQueue: with the library's own figures a peer costs 16 MB, and a batch may exceed the limit.
	writeBatch = 256
	writeQueue = 4096
	// keepaliveTime and keepaliveTimeout: a host that went dark is noticed without traffic. gRPC takes 10 s at least where
	// it dials.
	keepaliveTime    = 5 * time.Second
	keepaliveTimeout = 5 * time.Second
	// connectTimeout is how long a closed port is tried again, every connectPause: Proto.Actor sleeps for two seconds
	// after a failure, and a process that starts again is back sooner.
	connectTimeout = 10 * time.Second
	connectPause   = 50 * time.Millisecond
)

func remoteConfig(c Config) (*remote.Config, error) {
	host, portText, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return nil, fmt.Errorf("cluster address %q: %w", c.Addr, err)
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, fmt.Errorf("cluster address %q: %w", c.Addr, err)
	}
	if ip := net.ParseIP(host); c.Leases != nil && c.Advertise == "" && (host == "" || ip != nil && ip.IsUnspecified()) {
		return nil, fmt.Errorf("cluster address %q is none that other members can dial: an address to advertise is needed", c.Addr)
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	config := remote.Configure(host, port, remote.WithAdvertisedHost(c.Advertise),
		remote.WithEndpointManagerQueueSize(writeQueue), remote.WithEndpointWriterQueueSize(writeQueue),
		remote.WithEndpointWriterBatchSize(writeBatch),
		remote.WithServerOptions(serverOptions(c.TLS)...), remote.WithDialOptions(dialOptions(c.TLS)...),
		remote.WithCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)))
	config.MaxRetryCount = 1 // 0 never connects
	return config, nil
}

func serverOptions(config *tls.Config) []grpc.ServerOption {
	options := []grpc.ServerOption{grpc.MaxRecvMsgSize(maxMessage),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: keepaliveTime, Timeout: keepaliveTimeout}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: keepaliveTime / 2, PermitWithoutStream: true})}
	if config != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(config)))
	}
	return options
}

func dialOptions(config *tls.Config) []grpc.DialOption {
	security := insecure.NewCredentials()
	if config != nil {
		security = credentials.NewTLS(config)
	}
	return []grpc.DialOption{grpc.WithTransportCredentials(security), grpc.WithContextDialer(dial), grpc.WithDisableServiceConfig(),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: keepaliveTime, Timeout: keepaliveTimeout, PermitWithoutStream: true}),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: connectTimeout})}
}

// dial connects, also to a port that is opened only now.
func dial(ctx context.Context, addr string) (net.Conn, error) {
	for {
		connection, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		if !errors.Is(err, syscall.ECONNREFUSED) || !wait(ctx, connectPause) {
			return connection, err
		}
	}
}

// whoIs returns the id of the member that answers at the address.
func whoIs(ctx context.Context, addr string, config *tls.Config) (id string, err error) {
	connection, err := grpc.NewClient(addr, dialOptions(config)...)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, connection.Close()) }()
	stream, err := remote.NewRemotingClient(connection).Receive(ctx)
	if err != nil {
		return "", err
	}
	err = stream.Send(&remote.RemoteMessage{MessageType: &remote.RemoteMessage_ConnectRequest{ConnectRequest: &remote.ConnectRequest{
		ConnectionType: &remote.ConnectRequest_ServerConnection{ServerConnection: &remote.ServerConnection{}}}}})
	if err != nil {
		return "", err
	}
	answer, err := stream.Recv()
	if err != nil {
		return "", err
	}
	return answer.GetConnectResponse().GetMemberId(), stream.CloseSend()
}

// libraryLog is what of Proto.Actor's log is worth keeping: its errors, without the messages that it adds to them, which
// may be somebody's personal data.
func libraryLog(logger *slog.Logger) *slog.Logger {
	return slog.New(errorsOnly{logger.Handler()}).With("part", "proto.actor")
}

type errorsOnly struct{ slog.Handler }

func (h errorsOnly) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelError && h.Handler.Enabled(ctx, level)
}

func (h errorsOnly) Handle(ctx context.Context, record slog.Record) error {
	kept := slog.NewRecord(record.Time, slog.LevelWarn, record.Message, record.PC)
	record.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "address", "error", "retry", "kind":
			kept.AddAttrs(a)
		}
		return true
	})
	return h.Handler.Handle(ctx, kept)
}

func (h errorsOnly) WithAttrs(attrs []slog.Attr) slog.Handler {
	return errorsOnly{h.Handler.WithAttrs(attrs)}
}
func (h errorsOnly) WithGroup(name string) slog.Handler { return errorsOnly{h.Handler.WithGroup(name)} }
