package redisplane

import (
	"context"
	"time"

	"github.com/redis/rueidis"
)

// A call is a script with what it is given.
type call struct {
	*script
	keys, args []string
}

// do runs a script: one round trip, two where the server does not know it yet.
// What the server refused only for the moment is repeated and, if it may be done
// again, what a connection broke under.
func (p *Plane) do(ctx context.Context, c call) rueidis.RedisResult {
	return p.all(ctx, []call{c})[0]
}

// all runs scripts side by side: one round trip for all to one server.
func (p *Plane) all(ctx context.Context, calls []call) []rueidis.RedisResult {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	commands := make(rueidis.Commands, len(calls))
	for i, c := range calls {
		commands[i] = p.client.B().Evalsha().Sha1(c.sha).Numkeys(int64(len(c.keys))).Key(c.keys...).Arg(c.args...).Build()
	}
	answers := p.client.DoMulti(ctx, commands...)
	for i, c := range calls {
		for wait := 2 * time.Millisecond; wait < time.Second && passing(ctx, answers[i].Error(), c.again); wait *= 4 {
			if e, ok := rueidis.IsRedisErr(answers[i].Error()); !ok || !e.IsNoScript() {
				select {
				case <-ctx.Done():
				case <-time.After(wait):
				}
			}
			answers[i] = p.client.Do(ctx, p.client.B().Eval().Script(c.text).Numkeys(int64(len(c.keys))).Key(c.keys...).Arg(c.args...).Build())
		}
	}
	return answers
}

// passing reports whether another attempt may do better.
func passing(ctx context.Context, err error, again bool) bool {
	switch e, ok := rueidis.IsRedisErr(err); {
	case err == nil, rueidis.IsRedisNil(err), ctx.Err() != nil:
		return false
	case ok:
		return e.IsNoScript() || e.IsTryAgain() || e.IsClusterDown() || e.IsLoading()
	}
	return again && err != rueidis.ErrClosing
}
