package redisstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"
	"github.com/sojournhq/sojourn/internal/redisurl"
)

// Diagnose looks at what an operator should know of the servers and of this
// user's permissions, and reports each check as it is made: what was found and,
// if it endangers sessions, what is wrong and what to do. It changes nothing. It
// names the checks
//
//	reach version role clock eviction memory clients persistence replicas
//	cluster permissions sessions
//
// and repeats those of one server for every server, whose address then begins
// the detail.
func (s *Store) Diagnose(ctx context.Context, report func(check, detail string, problem error)) {
	ctx, cancel := s.whileOpen(ctx)
	defer cancel()
	nodes := s.client.Nodes()
	addrs := slices.Sorted(maps.Keys(nodes))
	for _, addr := range addrs {
		x := examination{store: s, node: nodes[addr], report: report}
		if len(addrs) > 1 {
			x.prefix = addr + ": "
		}
		x.server(ctx)
	}
	s.examinePermissions(ctx, report)
	s.examineSessions(ctx, nodes, addrs, report)
}

// An examination is of one server.
type examination struct {
	store  *Store
	node   rueidis.Client
	prefix string
	info   map[string]string
	report func(check, detail string, problem error)
}

func (x *examination) say(check, detail string, problem error) {
	x.report(check, x.prefix+detail, problem)
}

func (x *examination) number(field string) int64 {
	n, _ := strconv.ParseInt(x.info[field], 10, 64)
	return n
}

func (x *examination) server(ctx context.Context) {
	began := time.Now()
	if err := x.node.Do(ctx, x.node.B().Ping().Build()).Error(); err != nil {
		x.say("reach", "no answer", explain(x.store.causeOf(ctx, err)))
		return
	}
	x.say("reach", "answers after "+time.Since(began).Round(10*time.Microsecond).String(), nil)
	x.clock(ctx)
	var err error
	if x.info, err = serverInfo(ctx, x.node); err != nil {
		if isNoPermission(err) {
			err = errors.New("the user may not run INFO, so version, role, eviction, memory, persistence and replicas are unknown, and revocations wait for no replica: ACL SETUSER … +info +wait")
		}
		x.say("version", "unknown", explain(err))
		return
	}
	x.version()
	x.role()
	x.eviction()
	x.memory()
	x.clients()
	x.persistence(ctx)
	if x.info["role"] == "master" {
		x.replicas()
	}
	if x.store.topology == redisurl.Cluster {
		x.cluster(ctx)
	}
}

func (x *examination) version() {
	product, version := "Redis", x.info["redis_version"]
	if v := x.info["valkey_version"]; v != "" {
		product, version = "Valkey", v
	}
	var problem error
	if version != "" && major(version) < 7 {
		problem = errors.New("expected Redis 7.0 or newer, or Valkey: upgrade it")
	}
	up := time.Duration(x.number("uptime_in_seconds")) * time.Second
	x.say("version", fmt.Sprintf("%s %s, %s, up for %v", product, version, x.info["redis_mode"], up), problem)
}

func (x *examination) role() {
	role, problem := "primary", error(nil)
	if x.info["role"] == "slave" {
		role = fmt.Sprintf("replica of %s:%s", x.info["master_host"], x.info["master_port"])
		switch {
		case x.store.topology != redisurl.Cluster:
			problem = errors.New("this is a read-only replica: name its primary, or use redis+sentinel://")
		case x.info["master_link_status"] != "up":
			problem = errors.New("its link to the primary is down: a failover to it would lose sessions and revocations; see the log of the replica")
		}
	}
	x.say("role", role, problem)
}

// clockSkew is what nobody will notice: records outlive their deadlines by
// Options.Linger.
const clockSkew = 5 * time.Second

func (x *examination) clock(ctx context.Context) {
	began := time.Now()
	answer, err := x.node.Do(ctx, x.node.B().Time().Build()).AsIntSlice()
	took := time.Since(began)
	if err != nil || len(answer) != 2 {
		x.say("clock", "unknown", explain(err))
		return
	}
	x.skew(time.Unix(answer[0], answer[1]*1000).Sub(began.Add(took/2)), took)
}

// skew is how far the server's clock is ahead, give or take half of took.
func (x *examination) skew(d, took time.Duration) {
	detail := "as on this machine, to the millisecond"
	if ahead := d.Round(time.Millisecond); ahead > 0 {
		detail = fmt.Sprintf("%v ahead of this machine", ahead)
	} else if ahead < 0 {
		detail = fmt.Sprintf("%v behind this machine", -ahead)
	}
	var problem error
	if d.Abs() > clockSkew+took/2 {
		problem = errors.New("sessions end too early or too late where the clocks differ: keep both machines in time, by NTP")
	}
	x.say("clock", detail, problem)
}

func (x *examination) eviction() {
	policy := x.info["maxmemory_policy"]
	var problem error
	if policy != "" && policy != "noeviction" {
		problem = errors.New("a full server would forget sessions, and that all sessions of a user were ended: a thief's session could live again. Set maxmemory-policy noeviction")
	}
	detail := fmt.Sprintf("maxmemory-policy %s, %d keys evicted since the start", cmp.Or(policy, "unknown"), x.number("evicted_keys"))
	if problem == nil && x.number("evicted_keys") > 0 {
		problem = errors.New("keys were evicted under an earlier policy: have users whose sessions you ended meanwhile revoked again")
	}
	x.say("eviction", detail, problem)
}

func (x *examination) memory() {
	used, most, limit := x.number("used_memory"), x.number("maxmemory"), "maxmemory"
	if most == 0 {
		most, limit = x.number("total_system_memory"), "the machine's memory, as maxmemory is not set"
	}
	detail, problem := "used "+size(used), error(nil)
	if most > 0 {
		percent := used * 100 / most
		detail += fmt.Sprintf(", %d %% of %s (%s)", percent, size(most), limit)
		if percent >= 80 {
			problem = errors.New("a full server refuses new sessions and changes: raise maxmemory, or shorten how long sessions live")
		}
	}
	x.say("memory", detail, problem)
}

func (x *examination) clients() {
	now, most := x.number("connected_clients"), x.number("maxclients")
	var problem error
	if most > 0 && now >= most*9/10 {
		problem = errors.New("further connections will be refused: raise maxclients, or find who holds so many")
	}
	x.say("clients", fmt.Sprintf("%d connections of %d", now, most), problem)
}

func size(n int64) string {
	if n < 10<<20 {
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	if n < 10<<30 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
}

// config is a setting, "" if the user may not see it.
func (x *examination) config(ctx context.Context, name string) string {
	settings, _ := x.node.Do(ctx, x.node.B().ConfigGet().Parameter(name).Build()).AsStrMap()
	return strings.TrimSpace(settings[name])
}
