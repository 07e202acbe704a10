package cluster

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/resolver"
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
	// connectTimeout is how long a connection is tried again, every connectPause: after a failure Proto.Actor sleeps for
	// two seconds, in which a process that is back is not reached. One attempt takes attemptTimeout at most.
	connectTimeout = time.Minute
	attemptTimeout = 2 * time.Second
	connectPause   = 20 * time.Millisecond
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
	return []grpc.DialOption{grpc.WithTransportCredentials(security), grpc.WithContextDialer(dial), grpc.WithResolvers(verbatim{}), grpc.WithDisableServiceConfig(),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: keepaliveTime, Timeout: keepaliveTimeout, PermitWithoutStream: true}),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: connectTimeout})}
}

// dial connects, also to a port that is opened, or a host that gets its name, only now.
func dial(ctx context.Context, addr string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: attemptTimeout}
	for {
		connection, err := dialer.DialContext(ctx, "tcp", addr)
		if err == nil && connection.LocalAddr().String() == connection.RemoteAddr().String() {
			err = errors.Join(errItself, connection.Close())
		}
		if err == nil || !wait(ctx, connectPause) {
			return connection, err
		}
	}
}

// errItself says that nobody listens: a connection to a closed port of this host can come about between the port and itself.
var errItself = errors.New("connected to itself")

// verbatim leaves it to dial what an address means, each time that it is tried: a container that starts again has no name
// for a while, and another one's address then.
type verbatim struct{}

var _ resolver.Builder = verbatim{}

// Scheme is what gRPC takes addresses for.
func (verbatim) Scheme() string { return "dns" }

// Build passes the address on.
func (verbatim) Build(target resolver.Target, to resolver.ClientConn, _ resolver.BuildOptions) (resolver.Resolver, error) {
	return verbatim{}, to.UpdateState(resolver.State{Endpoints: []resolver.Endpoint{{Addresses: []resolver.Address{{Addr: target.Endpoint()}}}}})
}

// ResolveNow has nothing to do.
func (verbatim) ResolveNow(resolver.ResolveNowOptions) {}

// Close has nothing to do.
func (verbatim) Close() {}

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
