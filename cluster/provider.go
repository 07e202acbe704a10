package cluster

import (
	"github.com/asynkron/protoactor-go/cluster"
)

// static is the membership of a member that is alone: it can't form a second one by accident.
type static struct{}

var _ cluster.ClusterProvider = static{}

// StartMember publishes this member as the only one.
func (static) StartMember(c *cluster.Cluster) error {
	host, port, err := c.ActorSystem.GetHostPort()
	if err != nil {
		return err
	}
	c.MemberList.UpdateClusterTopology(cluster.Members{{Host: host, Port: int32(port), Id: c.ActorSystem.ID, Kinds: c.GetClusterKinds()}})
	return nil
}

// StartClient is not used: every process is a member.
func (static) StartClient(*cluster.Cluster) error { return nil }

// Shutdown leaves nothing behind.
func (static) Shutdown(bool) error { return nil }
