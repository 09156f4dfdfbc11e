package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/sojournhq/sojourn/internal/redisurl"
	"github.com/sojournhq/sojourn/internal/testenv"
)

// A finding is what Diagnose reports.
type finding struct {
	check, detail string
	problem       error
}

type findings []finding

func diagnose(t *testing.T, s *Store) (all findings) {
	t.Helper()
	s.Diagnose(t.Context(), func(check, detail string, problem error) {
		if check == "" || detail == "" || problem != nil && problem.Error() == "" {
			t.Errorf("an empty report: %q, %q, %v", check, detail, problem)
		}
		all = append(all, finding{check, detail, problem})
	})
	return all
}

// expect finds a report of the check with that in its detail, and in its problem;
// no problem may be there if none is expected.
func (f findings) expect(t *testing.T, check, detail, problem string) {
	t.Helper()
	for _, one := range f {
		if one.check != check || !strings.Contains(one.detail, detail) {
			continue
		}
		if (one.problem == nil) == (problem == "") && (problem == "" || strings.Contains(one.problem.Error(), problem)) {
			return
		}
	}
	t.Errorf("%s: expected %q and the problem %q in\n%s", check, detail, problem, f)
}

func (f findings) String() string {
	var b strings.Builder
	for _, one := range f {
		fmt.Fprintf(&b, "%-12s %s\n", one.check, one.detail)
		if one.problem != nil {
			fmt.Fprintf(&b, "%-12s   problem: %v\n", "", one.problem)
		}
	}
	return b.String()
}

func TestDiagnose(t *testing.T) {
	r := testenv.StartRedis(t, &testenv.RedisOptions{Config: []string{"appendonly yes", "appendfsync always"}})
	s := open(t, "redis://"+r.Addr, nil)
	for range 30 {
		create(t, s, "owner of many")
	}
	r.Do("SET", "another", "application")
	found := diagnose(t, s)
	t.Logf("a good server:\n%s", found)
	for check, detail := range map[string]string{
		"reach": "answers after ", "version": "standalone, up for ", "role": "primary", "clock": "this machine",
		"eviction": "noeviction, 0 keys", "memory": " % of ", "clients": " connections of ", "persistence": "appendfsync always",
		"replicas": "none", "permissions": "all that sessions need", "sessions": "30 records, ended ones included, among 32 keys",
	} {
		found.expect(t, check, detail, "")
	}
	if keys := r.Do("DBSIZE"); keys != int64(32) || len(found) != 11 {
		t.Errorf("%d reports, and afterwards %v keys", len(found), keys)
	}

	r.Do("CONFIG", "SET", "appendfsync", "no")
	diagnose(t, s).expect(t, "persistence", "appendfsync no", "everysec, or always")
	used, _ := strconv.Atoi(r.Info("used_memory"))
	for _, setting := range [][2]string{{"maxmemory-policy", "allkeys-lru"}, {"appendonly", "no"}, {"maxmemory", strconv.Itoa(used * 9 / 8)}} {
		r.Do("CONFIG", "SET", setting[0], setting[1])
	}
	found = diagnose(t, s)
	t.Logf("a bad server:\n%s", found)
	found.expect(t, "eviction", "allkeys-lru", "Set maxmemory-policy noeviction")
	found.expect(t, "memory", "(maxmemory)", "raise maxmemory")
	found.expect(t, "persistence", "appendonly no", "a crash loses everything")
	testenv.Eventually(t, "an eviction", 10*time.Second, func() error {
		r.Do("SET", random(), strings.Repeat("x", 10_000))
		if r.Info("evicted_keys") == "0" {
			return errNotYet
		}
		return nil
	})
	r.Do("CONFIG", "SET", "maxmemory-policy", "noeviction")
	diagnose(t, s).expect(t, "eviction", "noeviction, ", "evicted under an earlier policy")
}

func TestDiagnoseReplicas(t *testing.T) {
	primary := testenv.StartRedis(t, nil)
	line := testenv.StartProxy(t, primary.Addr)
	replica := testenv.StartRedisReplica(t, line.Addr, nil)
	s := open(t, "redis://"+primary.Addr, nil)
	at := "127.0.0.1:" + fmt.Sprint(replica.Port)
	testenv.Eventually(t, "the replica is in step", 20*time.Second, func() error {
		if info := primary.Info("slave0"); !strings.Contains(info, "state=online") || !strings.HasSuffix(strings.TrimSpace(info), "lag=0") {
			return fmt.Errorf("%s", info)
		}
		return nil
	})
	diagnose(t, s).expect(t, "replicas", at+" online, ", "")
	primary.Do("REPLICAOF", "127.0.0.1", fmt.Sprint(replica.Port)) // as after a failover by hand
	diagnose(t, s).expect(t, "role", "replica of "+at, "read-only replica")
	primary.Do("REPLICAOF", "NO", "ONE")

	x := examination{store: s, info: map[string]string{"master_repl_offset": "100",
		"slave0": "ip=10.0.0.1,port=1,state=online,offset=90,lag=0", "slave1": "ip=10.0.0.2,port=2,state=online,offset=40,lag=30"}}
	var found findings
	x.report = func(check, detail string, problem error) { found = append(found, finding{check, detail, problem}) }
	x.replicas()
	found.expect(t, "replicas", "10.0.0.2:2 online, 60 bytes behind, heard of 30 s ago", "a failover to 10.0.0.2:2 would lose")
	x.store = &Store{topology: redisurl.Sentinel}
	x.info = map[string]string{"connected_clients": "99", "maxclients": "100"}
	x.replicas()
	x.skew(-time.Minute, time.Second)
	found.expect(t, "clock", "1m0s behind this machine", "by NTP")
	x.clients()
	found.expect(t, "clients", "99 connections of 100", "raise maxclients")
	found.expect(t, "replicas", "none", "nothing to fail over to")
}

func TestDiagnoseCluster(t *testing.T) {
	c := testenv.StartRedisCluster(t, &testenv.RedisOptions{Config: []string{"user app on >s3cret " + minimal + diagnosing +
		"+client|tracking +cluster|slots +cluster|shards +asking +cluster|nodes +cluster|info"}})
	s := open(t, "redis+cluster://app:s3cret@"+c.Addrs(), nil)
	listen(t, s)
	for range 300 {
		create(t, s, "")
	}
	found := diagnose(t, s)
	for _, n := range c.Nodes {
		found.expect(t, "cluster", n.Addr+": state ok, 16384 of 16384 slots", "")
		found.expect(t, "replicas", n.Addr+": none", "give it a replica")
	}
	found.expect(t, "sessions", "300 records", "")
	found.expect(t, "permissions", "all that sessions need", "")
	for _, one := range found {
		if strings.Contains(one.detail, "not permitted") || strings.Contains(one.detail, "unknown") {
			t.Errorf("with the permissions that the documentation lists: %s", found)
			break
		}
	}
	if got := scanAll(t, s, 1000); len(got) != 300 {
		t.Errorf("Scan: %d records", len(got))
	}
	c.Nodes[0].Do("CLUSTER", "DELSLOTS", "0", "1")
	diagnose(t, s).expect(t, "cluster", c.Nodes[0].Addr+": ", "2 slots belong to no server")
	c.Nodes[0].Do("CLUSTER", "ADDSLOTS", "0", "1")
	c.Nodes[2].Kill()
	testenv.Eventually(t, "the connection there was is gone", 10*time.Second, func() error {
		if found := diagnose(t, s); !strings.Contains(fmt.Sprint(found), "refused") {
			return errNotYet
		}
		return nil
	})
	diagnose(t, s).expect(t, "reach", c.Nodes[2].Addr+": no answer", "refused")
}

func TestDiagnosePermissions(t *testing.T) {
	r := testenv.StartRedis(t, &testenv.RedisOptions{Config: []string{
		"user whole on >s3cret " + minimal + diagnosing + "+client|tracking",
		"user app on >s3cret " + minimal + "+info +wait",
		"user blind on >s3cret " + minimal,
	}})
	for user, says := range map[string]string{"whole": "all that sessions need", "app": "not permitted: +scan (Scan), +client|tracking (Watch)", "blind": "+wait (to wait for replicas)"} {
		found := diagnose(t, open(t, "redis://"+user+":s3cret@"+r.Addr, nil))
		t.Logf("%s:\n%s", user, found)
		found.expect(t, "permissions", says, "")
		if user == "blind" {
			found.expect(t, "version", "unknown", "+info")
		}
		if user == "whole" {
			found.expect(t, "sessions", "0 records", "")
		} else {
			found.expect(t, "sessions", "unknown: the user may not run SCAN", "")
		}
	}
	s := open(t, "redis://whole:s3cret@"+r.Addr, nil)
	r.Do("ACL", "SETUSER", "whole", "-set", "-zadd")
	diagnose(t, s).expect(t, "permissions", "some are missing", "ACL SETUSER … +set +zadd,")
	r.Do("ACL", "SETUSER", "whole", "+set", "+zadd", "resetkeys", "~sojourn:s*")
	diagnose(t, s).expect(t, "permissions", "some are missing", "ACL SETUSER … ~sojourn:*,")
	if n := r.Do("DBSIZE"); n != int64(0) {
		t.Errorf("it left %v keys", n)
	}
}

// TestDiagnoseEnds: a server that says nothing keeps nobody waiting for long.
func TestDiagnoseEnds(t *testing.T) {
	r := testenv.StartRedis(t, nil)
	line := testenv.StartProxy(t, r.Addr)
	s := open(t, "redis://"+line.Addr, nil)
	line.Freeze()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	var found findings
	s.Diagnose(ctx, func(check, detail string, problem error) { found = append(found, finding{check, detail, problem}) })
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
	found.expect(t, "reach", "no answer", "deadline")
	found.expect(t, "permissions", "unknown", "deadline")
	s.Close()
	diagnose(t, s).expect(t, "reach", "no answer", ErrClosed.Error())
	if len(found) == 0 || !errors.Is(found[0].problem, context.DeadlineExceeded) {
		t.Errorf("found %v", found)
	}
}

// TestDiagnoseEstimates: of many keys it looks at some.
func TestDiagnoseEstimates(t *testing.T) {
	r := testenv.StartRedis(t, nil)
	s := open(t, "redis://"+r.Addr, nil)
	fill := newScript(false, `for i = 1, 20000 do
  redis.call('SET', string.format('sojourn:s{aaaaaaaa}%022d', i), '')
  redis.call('SET', 'other:' .. i, '')
end`)
	if err := s.do(t.Context(), run(fill, nil)).Error(); !rueidis.IsRedisNil(err) {
		t.Fatal(err)
	}
	found := diagnose(t, s)
	var records, keys float64
	for _, one := range found {
		if one.check == "sessions" {
			fmt.Sscanf(one.detail, "about %f records, ended ones included, among about %f keys", &records, &keys)
		}
	}
	if records < 19_000 || records > 21_000 || keys != 40_000 {
		t.Errorf("expected about 20000 records among 40000 keys:\n%s", found)
	}
}
