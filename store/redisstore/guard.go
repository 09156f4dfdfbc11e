package redisstore

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
)

// What the client library has, and we build on.
const (
	// pipelineSlots is how many commands one connection holds; a caller beyond
	// that waits for a slot without looking at his context.
	pipelineSlots = 1 << 10
	// dialTimeout and answerTimeout bound how long a connection without a sign of
	// life is waited for; callers in line for a dial do not look at their
	// context either.
	dialTimeout   = 3 * time.Second
	answerTimeout = 3 * time.Second
	pingEvery     = time.Second
)

const (
	// direct is how many commands may be under way before a caller could meet a
	// full pipeline, were they all on one connection.
	direct = pipelineSlots * 7 / 8
	// detours bounds the goroutines of callers who could be kept waiting.
	detours = pipelineSlots
	// forgotten is when a command whose caller has left is certainly answered, or
	// its connection closed.
	forgotten = pingEvery + answerTimeout + 2*time.Second
	// trouble is how long callers take the detour after a connection broke, or a
	// dial began; calmAfter how long once all that were dialled have answered.
	trouble   = 2 * dialTimeout
	calmAfter = 100 * time.Millisecond
)

// A guard lets callers leave when their context ends, whatever the client
// library waits for. In good times a call runs on its caller's goroutine; when
// it could be kept waiting, it takes a detour over one of its own.
type guard struct {
	underway  atomic.Int64
	abandoned atomic.Int64 // under way, too, but nobody waits any more
	troubled  atomic.Bool
	detours   chan struct{}

	mu      sync.Mutex
	dialled int // connections that have not answered yet
	calm    *time.Timer
}

func newGuard() *guard {
	g := &guard{detours: make(chan struct{}, detours)}
	g.calm = time.AfterFunc(trouble, func() { g.troubled.Store(false) })
	g.troubled.Store(true) // until the first connections stand
	return g
}

// dialling tells that a connection is being made.
func (g *guard) dialling() {
	g.mu.Lock()
	g.dialled++
	g.mu.Unlock()
	g.disturb()
}

// disturb tells that a connection broke.
func (g *guard) disturb() {
	g.troubled.Store(true)
	g.calm.Reset(trouble)
}

// dialledOne tells that a connection has answered, or failed to.
func (g *guard) dialledOne(answered bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.dialled--; g.dialled == 0 && answered {
		g.calm.Reset(calmAfter)
	}
}

func (g *guard) close() { g.calm.Stop() }

// enter reports whether a call may run on its caller's goroutine; then it is
// followed by leave.
func (g *guard) enter() bool {
	if g.underway.Add(1)+g.abandoned.Load() <= direct && !g.troubled.Load() {
		return true
	}
	g.underway.Add(-1)
	return false
}

func (g *guard) leave(abandoned bool) {
	g.underway.Add(-1)
	if abandoned {
		g.abandon()
	}
}

// detour runs f on a goroutine of its own, which may take until its connection
// is given up, and returns when ctx ends.
func (g *guard) detour(ctx context.Context, f func() rueidis.RedisResult) rueidis.RedisResult {
	select {
	case g.detours <- struct{}{}:
	case <-ctx.Done():
		return rueidis.NewErrorResult(ctx.Err())
	}
	g.underway.Add(1)
	answers := make(chan rueidis.RedisResult, 1)
	go func() {
		answer := f()
		g.underway.Add(-1)
		<-g.detours
		answers <- answer
	}()
	select {
	case answer := <-answers:
		return answer
	case <-ctx.Done():
		return rueidis.NewErrorResult(ctx.Err())
	}
}

func (g *guard) abandon() {
	g.abandoned.Add(1)
	time.AfterFunc(forgotten, func() { g.abandoned.Add(-1) })
}
