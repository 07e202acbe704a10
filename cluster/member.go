package cluster

import (
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/cluster"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
)

// Config of a member.
type Config struct {
	Name   string // of the cluster
	Addr   string // host:port that other members reach; port 0 takes a free one
	Kinds  []string
	Props  func(kind string) *actor.Props
	Logger *slog.Logger
}

// Member is this process in the cluster.
type Member struct {
	cluster *cluster.Cluster
	lookup  *lookup
	client  *Client
	stop    sync.Once
}

// Messages between members are small; the limit is far above any batch that Proto.Actor makes of them. Larger ones
// would end the connection with everything queued on it.
const maxMessage = 64 << 20

// Start joins the cluster and returns when this member serves. A member that is alone is a cluster of one.
func Start(c Config) (*Member, error) {
	host, portText, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return nil, fmt.Errorf("cluster address %q: %w", c.Addr, err)
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, fmt.Errorf("cluster address %q: %w", c.Addr, err)
	}
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return c.Logger.With("part", "cluster") }))
	kinds := make([]*cluster.Kind, len(c.Kinds))
	for i, kind := range c.Kinds {
		kinds[i] = cluster.NewKind(kind, c.Props(kind))
	}
	m := &Member{lookup: newLookup(c.Logger)}
	config := cluster.Configure(c.Name, static{}, m.lookup, remoteConfig(host, port),
		cluster.WithKinds(kinds...), cluster.WithRequestTimeout(2*time.Second),
		// Only the provider decides who is a member; gossip would ban members silently and one-sidedly.
		cluster.WithHeartbeatExpiration(time.Hour))
	config.GossipInterval = 2 * time.Second
	m.cluster = cluster.New(system, config)
	m.cluster.StartMember()
	m.client = newClient(m.cluster, m.lookup)
	return m, nil
}

func remoteConfig(host string, port int) *remote.Config {
	config := remote.Configure(host, port,
		remote.WithEndpointManagerQueueSize(4096), remote.WithEndpointWriterQueueSize(4096), remote.WithEndpointWriterBatchSize(256),
		remote.WithServerOptions(grpc.MaxRecvMsgSize(maxMessage)), remote.WithCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)))
	config.MaxRetryCount = 1
	return config
}

// Client asks the entities of the whole cluster.
func (m *Member) Client() *Client { return m.client }

// Size is the number of members that this one knows of.
func (m *Member) Size() int { return m.cluster.MemberList.Length() }

// Drain stops all entities of this member after they have finished what they had begun. No command is executed any more.
func (m *Member) Drain() { m.lookup.Shutdown() }

// Stop leaves the cluster.
func (m *Member) Stop() {
	m.stop.Do(func() {
		m.Drain()
		// What Proto.Actor's own graceful end does beyond this is to wait two seconds for hand-overs to other members.
		m.cluster.Gossip.Shutdown()
		m.cluster.Shutdown(false)
	})
}
