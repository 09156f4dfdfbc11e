package redisstore

import (
	"context"
	"fmt"
	"strings"

	"github.com/redis/rueidis"
	"github.com/sojournhq/sojourn/internal/redisurl"
)

// A probe is a command that does nothing, but needs its permission: the server
// looks at that before it looks at the arguments or the key, which does not exist.
type probe struct {
	command string // as an ACL names it
	args    []string
}

const probeKey = "\x00" // stands for it

var probes = []probe{
	{"mget", []string{probeKey}}, {"get", []string{probeKey}}, {"exists", []string{probeKey}},
	{"set", []string{probeKey, "", "no such option"}},
	{"getrange", []string{probeKey, "0", "0"}}, {"setrange", []string{probeKey, "0", ""}},
	{"pexpireat", []string{probeKey, "1"}}, {"pexpiretime", []string{probeKey}},
	{"zadd", []string{probeKey, "XX", "1", "-"}}, {"zrem", []string{probeKey, "-"}}, {"zscore", []string{probeKey, "-"}},
	{"zrange", []string{probeKey, "0", "0"}}, {"zrangebyscore", []string{probeKey, "0", "0"}},
	{"zremrangebyscore", []string{probeKey, "0", "0"}},
	{"time", nil}, {"ping", nil},
	{"eval", []string{"return 1", "1", probeKey}}, {"evalsha", []string{strings.Repeat("0", 40), "1", probeKey}},
}

// extras are needed for more than to keep sessions.
var extras = []struct {
	what string
	probe
	topology redisurl.Topology // "" if for all
}{
	{"to wait for replicas", probe{"wait", []string{"0", "1"}}, ""},
	{"Scan", probe{"scan", []string{"0", "COUNT", "1"}}, ""},
	{"Scan", probe{"cluster|nodes", nil}, redisurl.Cluster},
	{"Watch", probe{"client|tracking", []string{"OFF"}}, ""},
}

// examinePermissions finds out what this user may not do. Commands that scripts
// run are checked likewise.
func (s *Store) examinePermissions(ctx context.Context, report func(check, detail string, problem error)) {
	tag := tagOf("probe")
	session := s.sessionKey("probe", tag)
	var missing, lacking []string
	keysToo := false
	try := func(p probe, key string) (permitted bool) {
		err := s.tryOut(ctx, p, key)
		if err == nil || !isNoPermission(err) {
			return true
		}
		if strings.Contains(strings.ToLower(err.Error()), " key") { // not the command, but its key
			keysToo = true
			return true
		}
		return false
	}
	for _, p := range probes {
		if !try(p, session) {
			missing = append(missing, "+"+p.command)
		}
	}
	for _, key := range []string{s.generationKey(tag), s.indexKey(tag, "probe")} {
		try(probe{"set", []string{probeKey, "", "no such option"}}, key)
	}
	if keysToo {
		missing = append(missing, "~"+s.opt.Prefix+"*")
	}
	for _, e := range extras {
		if (e.topology == "" || e.topology == s.topology) && !try(e.probe, session) {
			lacking = append(lacking, fmt.Sprintf("+%s (%s)", e.command, e.what))
		}
	}
	if ctx.Err() != nil {
		report("permissions", "unknown", s.causeOf(ctx, nil))
		return
	}
	detail, problem := "all that sessions need", error(nil)
	if len(missing) > 0 {
		detail = "some are missing"
		problem = fmt.Errorf("sessions cannot be kept: ACL SETUSER … %s, see the documentation of package redisstore", strings.Join(missing, " "))
	}
	if len(lacking) > 0 {
		detail += "; not permitted: " + strings.Join(lacking, ", ")
	}
	report("permissions", detail, problem)
}

// tryOut ignores a server that does not answer: others have asked it before.
func (s *Store) tryOut(ctx context.Context, p probe, key string) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	command := s.client.B().Arbitrary(strings.Split(strings.ToUpper(p.command), "|")...)
	for _, a := range p.args {
		if a == probeKey {
			command = command.Keys(key)
		} else {
			command = command.Args(a)
		}
	}
	return s.client.Do(ctx, command.Build()).Error()
}

// sample is how many keys tell the share of sessions among all.
const sample = 10_000

// examineSessions estimates how many there are. A server returns keys in the
// order of a hash, so the first ones are as good as any.
func (s *Store) examineSessions(ctx context.Context, nodes map[string]rueidis.Client, addrs []string, report func(check, detail string, problem error)) {
	l, err := s.layout(ctx)
	if err != nil { // the replicas will count, too, if they answer at all
		l = layout{addrs: addrs, nodes: nodes}
	}
	var sessions, keys float64
	exact := err == nil
	for _, addr := range l.addrs {
		ours, seen, whole, err := s.sampleKeys(ctx, l.nodes[addr])
		if isNoPermission(err) {
			report("sessions", "unknown: the user may not run SCAN: ACL SETUSER … +scan", nil)
			return
		}
		if err != nil {
			report("sessions", "unknown", fmt.Errorf("%s: %w", addr, explain(s.causeOf(ctx, err))))
			return
		}
		all := float64(seen)
		if !whole {
			n, err := l.nodes[addr].Do(ctx, l.nodes[addr].B().Dbsize().Build()).AsInt64()
			switch {
			case isNoPermission(err):
				report("sessions", "unknown: the user may not run DBSIZE: ACL SETUSER … +dbsize", nil)
				return
			case err != nil:
				report("sessions", "unknown", fmt.Errorf("%s: %w", addr, explain(s.causeOf(ctx, err))))
				return
			}
			all, exact = float64(n), false
		}
		keys += all
		if seen > 0 {
			sessions += all * float64(ours) / float64(seen)
		}
	}
	about := "about "
	if exact {
		about = ""
	}
	report("sessions", fmt.Sprintf("%s%.0f records, ended ones included, among %s%.0f keys", about, sessions, about, keys), nil)
}

func (s *Store) sampleKeys(ctx context.Context, node rueidis.Client) (ours, seen int, whole bool, err error) {
	for cursor := uint64(0); seen < sample; {
		entry, err := node.Do(ctx, node.B().Scan().Cursor(cursor).Count(1000).Build()).AsScanEntry()
		if err != nil {
			return 0, 0, false, err
		}
		for _, key := range entry.Elements {
			if _, ok := s.idOfKey(key); ok {
				ours++
			}
		}
		seen += len(entry.Elements)
		if cursor = entry.Cursor; cursor == 0 {
			return ours, seen, true, nil
		}
	}
	return ours, seen, false, nil
}
