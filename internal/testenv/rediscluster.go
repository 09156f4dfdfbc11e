package testenv

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A RedisCluster is a Redis Cluster of primaries without replicas.
type RedisCluster struct{ Nodes []*Redis }

// Addrs are the addresses of the nodes, with commas between them.
func (c *RedisCluster) Addrs() string {
	addrs := make([]string, len(c.Nodes))
	for i, n := range c.Nodes {
		addrs[i] = n.Addr
	}
	return strings.Join(addrs, ",")
}

// StartRedisCluster starts a Cluster of three primaries and waits until all of
// them serve.
func StartRedisCluster(t TB, opt *RedisOptions) *RedisCluster {
	t.Helper()
	const slots, nodes = 16384, 3
	c := &RedisCluster{}
	for i := range nodes {
		var o RedisOptions
		if opt != nil {
			o = *opt
		}
		bus := Port(t)
		o.Config = append([]string{"cluster-enabled yes", "cluster-port " + strconv.Itoa(bus), "cluster-node-timeout 5000"}, o.Config...)
		n := StartRedis(t, &o)
		n.Do("CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1))
		first, next := i*slots/nodes, (i+1)*slots/nodes
		n.Do("CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(first), strconv.Itoa(next-1))
		if i > 0 {
			n.Do("CLUSTER", "MEET", "127.0.0.1", strconv.Itoa(c.Nodes[0].Port), strconv.Itoa(busOf(c.Nodes[0])))
		}
		c.Nodes = append(c.Nodes, n)
	}
	for _, n := range c.Nodes {
		Eventually(t, "the Cluster serves", redisPatience, func() error {
			answer, err := n.do(time.Second, "CLUSTER", "INFO")
			if err != nil {
				return err
			}
			info := answer.(string)
			if infoField(info, "cluster_state") != "ok" || infoField(info, "cluster_known_nodes") != strconv.Itoa(nodes) {
				return fmt.Errorf("CLUSTER INFO: %s", info)
			}
			return nil
		})
	}
	return c
}

func busOf(r *Redis) int {
	answer, _ := r.Do("CONFIG", "GET", "cluster-port").([]any)
	if len(answer) == 2 {
		if port, err := strconv.Atoi(answer[1].(string)); err == nil {
			return port
		}
	}
	r.t.Fatalf("redis: CONFIG GET cluster-port: %v", answer)
	return 0
}
