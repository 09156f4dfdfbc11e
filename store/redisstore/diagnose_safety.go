package redisstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/sojournhq/sojourn/internal/redisurl"
)

// persistence is what a crash would cost.
func (x *examination) persistence(ctx context.Context) {
	if x.info["aof_enabled"] != "1" {
		detail := "appendonly no, last snapshot " + cmp.Or(x.info["rdb_last_bgsave_status"], "unknown")
		problem := errors.New("a crash loses everything since the last snapshot, logouts included: set appendonly yes and appendfsync everysec, or always")
		if x.info["rdb_last_bgsave_status"] == "err" {
			problem = errors.New("snapshots fail, so a restart loses everything and writes may be refused: see the server's log, and set appendonly yes")
		}
		x.say("persistence", detail, problem)
		return
	}
	fsync := x.config(ctx, "appendfsync")
	losses := map[string]string{
		"always":   "a crash loses nothing that was acknowledged",
		"everysec": "a crash loses up to about a second",
		"no":       "a crash of the machine loses what the kernel had not written, often half a minute",
		"":         "the user may not see appendfsync: ACL SETUSER … +config|get",
	}
	detail := fmt.Sprintf("appendonly yes, appendfsync %s: %s", cmp.Or(fsync, "unknown"), losses[fsync])
	var problem error
	switch {
	case x.info["aof_last_write_status"] == "err":
		problem = errors.New("it cannot write to its disk, and refuses changes: make room, see the server's log")
	case x.info["aof_last_bgrewrite_status"] == "err":
		problem = errors.New("rewriting the append-only file failed, so it grows: make room, see the server's log")
	case fsync == "no":
		problem = errors.New("set appendfsync everysec, or always")
	}
	x.say("persistence", detail, problem)
}

// replicaLag is how many seconds without a word are not worth a word.
const replicaLag = 5

// replicas of a primary, as it sees them.
func (x *examination) replicas() {
	var all, late []string
	offset := x.number("master_repl_offset")
	for i := 0; x.info["slave"+strconv.Itoa(i)] != ""; i++ {
		replica := map[string]string{}
		for field := range strings.SplitSeq(x.info["slave"+strconv.Itoa(i)], ",") {
			name, value, _ := strings.Cut(field, "=")
			replica[name] = value
		}
		at, _ := strconv.ParseInt(replica["offset"], 10, 64)
		silent, _ := strconv.Atoi(replica["lag"])
		name := replica["ip"] + ":" + replica["port"]
		all = append(all, fmt.Sprintf("%s %s, %d bytes behind, heard of %d s ago", name, replica["state"], max(0, offset-at), silent))
		if replica["state"] != "online" || silent > replicaLag {
			late = append(late, name)
		}
	}
	var problem error
	switch {
	case len(late) > 0:
		problem = fmt.Errorf("a failover to %s would lose sessions and revocations: see its log, and the network between", strings.Join(late, ", "))
	case len(all) == 0 && x.store.topology == redisurl.Sentinel:
		problem = errors.New("there is nothing to fail over to: start a replica")
	case len(all) == 0 && x.store.topology == redisurl.Cluster:
		problem = errors.New("if this primary dies, its part of the sessions cannot be reached: give it a replica")
	}
	x.say("replicas", cmp.Or(strings.Join(all, "; "), "none"), problem)
}

// cluster is the Cluster as one of its servers sees it.
func (x *examination) cluster(ctx context.Context) {
	text, err := x.node.Do(ctx, x.node.B().ClusterInfo().Build()).ToString()
	if isNoPermission(err) {
		x.say("cluster", "unknown: the user may not run CLUSTER INFO: ACL SETUSER … +cluster|info", nil)
		return
	}
	if err != nil {
		x.say("cluster", "unknown", explain(err))
		return
	}
	about := infoFields(text)
	detail := fmt.Sprintf("state %s, %s of %d slots served, %s servers, %s of them primaries", about["cluster_state"], about["cluster_slots_ok"], slots, about["cluster_known_nodes"], about["cluster_size"])
	served, _ := strconv.Atoi(about["cluster_slots_ok"])
	assigned, _ := strconv.Atoi(about["cluster_slots_assigned"])
	var problem error
	switch {
	case assigned < slots:
		problem = fmt.Errorf("%d slots belong to no server, so some users have no sessions: redis-cli --cluster fix", slots-assigned)
	case served < slots:
		problem = fmt.Errorf("the servers of %d slots do not answer: start them, or promote a replica of each", slots-served)
	case about["cluster_state"] != "ok":
		problem = errors.New("this server does not take part, because it cannot reach most primaries: see the network between")
	}
	x.say("cluster", detail, problem)
}
