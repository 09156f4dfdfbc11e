package redisstore

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

// A call is a command, or a script, and what it is given.
type call struct {
	name   string // of a command
	script *script
	keys   []string // all of one slot
	args   []string
	again  bool // doing it twice is the same as doing it once
	// ending: it ends sessions, so where there are replicas it waits until one of
	// them has it.
	ending bool
}

func run(sc *script, keys []string, args ...string) call {
	return call{script: sc, keys: keys, args: args, again: sc.again}
}

func runEnding(sc *script, keys []string, args ...string) call {
	return call{script: sc, keys: keys, args: args, again: sc.again, ending: true}
}

// attempts is how often a call is tried: a server that restarts costs nobody an
// error, one that is gone is not asked for long.
const attempts = 4

// do makes a call: one round trip, two where the server does not know the script
// yet. What the server refused only for the moment (a slot on the move, a Cluster
// about to elect, a server that reads its files) is repeated and, if it may be
// done again, what a connection broke under.
func (s *Store) do(ctx context.Context, c call) rueidis.RedisResult {
	if err := ctx.Err(); err != nil {
		return rueidis.NewErrorResult(err)
	}
	tried := 0
	if s.guard.enter() {
		answer := s.once(ctx, &c)
		s.guard.leave(ctx.Err() != nil && answer.NonRedisError() != nil)
		if err := answer.Error(); err == nil || !s.passing(ctx, err, c.again) {
			return answer
		}
		tried++
	}
	return s.patiently(ctx, c, tried)
}

// patiently makes the attempts that are left. They do not end with ctx: if a
// connection has to be made first and that takes longer than callers have, it is
// there for the next one.
func (s *Store) patiently(ctx context.Context, c call, tried int) rueidis.RedisResult {
	free := context.WithoutCancel(ctx)
	return s.guard.detour(ctx, func() rueidis.RedisResult {
		for wait := 2 * time.Millisecond; ; wait *= 4 {
			if tried > 0 {
				select {
				case <-ctx.Done():
					return rueidis.NewErrorResult(ctx.Err())
				case <-time.After(wait):
				}
			}
			answer := s.once(free, &c)
			tried++
			if err := answer.Error(); err == nil || tried == attempts || !s.passing(ctx, err, c.again) {
				return answer
			}
		}
	})
}

// once makes one attempt. Each builds its commands anew: the library takes back
// one that it has an answer for, and must not be given one again that a broken
// connection may still be writing.
func (s *Store) once(ctx context.Context, c *call) rueidis.RedisResult {
	if c.script == nil {
		return s.client.Do(ctx, s.client.B().Arbitrary(c.name).Keys(c.keys...).Args(c.args...).Build())
	}
	answer := s.send(ctx, c, c.script.sha)
	if e, ok := rueidis.IsRedisErr(answer.Error()); ok && e.IsNoScript() {
		answer = s.send(ctx, c, "")
	}
	return answer
}

func (s *Store) send(ctx context.Context, c *call, sha string) rueidis.RedisResult {
	if !c.ending || s.opt.ReplicaWait <= 0 || !s.replicated.Load() {
		return s.client.Do(ctx, s.command(c, sha))
	}
	// In the same round trip. WAIT blocks its connection, so the library gives
	// the pair one that nobody else uses meanwhile.
	return s.client.DoMulti(ctx, s.command(c, sha),
		s.client.B().Wait().Numreplicas(1).Timeout(max(1, s.opt.ReplicaWait.Milliseconds())).Build())[0]
}

func (s *Store) command(c *call, sha string) rueidis.Completed {
	b, n := s.client.B(), int64(len(c.keys))
	if sha != "" {
		return b.Evalsha().Sha1(sha).Numkeys(n).Key(c.keys...).Arg(c.args...).Build()
	}
	return b.Eval().Script(c.script.text).Numkeys(n).Key(c.keys...).Arg(c.args...).Build()
}

// passing reports whether the next attempt may do better. It drops the
// connections to a server that has become a replica: a name that leads to the
// primary may lead elsewhere by now.
func (s *Store) passing(ctx context.Context, err error, again bool) bool {
	if e, ok := rueidis.IsRedisErr(err); ok {
		if isCode(e, "READONLY") {
			s.dialer.reset()
		}
		return e.IsTryAgain() || e.IsClusterDown() || e.IsLoading()
	}
	return again && !rueidis.IsRedisNil(err) && ctx.Err() == nil && !errors.Is(err, rueidis.ErrClosing)
}

func isCode(err error, code string) bool { return strings.HasPrefix(err.Error(), code) }
