package redisplane

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/live"
)

// A watch is a session that this node follows. Guarded by Plane.mu.
type watch struct {
	followers []*follower
	heard     chan struct{} // closed when its channel is subscribed to
	isHeard   bool
	due       time.Time // when its keys are kept alive again
}

// A follower puts what one Watch is given in order.
//
//	message ─▶ position unknown, or a gap being filled? ─▶ early
//	   └─▶ next? deliver · older? drop · beyond? read the log, then early
type follower struct {
	p       *Plane
	id      sojourn.ID
	tags    []string
	to      live.Follower
	watcher string

	mu    sync.Mutex
	at    live.Position // the newest that was delivered
	early []message
	busy  bool // position unknown, or the log is being read
	over  bool
}

type message struct {
	epoch string
	event live.Event
}

// maxEarly bounds what waits for the log to be read, which then gives it anyway.
const maxEarly = 256

// Watch implements [live.Backplane]: two round trips, one if the session is
// watched already.
func (p *Plane) Watch(ctx context.Context, id sojourn.ID, tags []string, to live.Follower) (live.Position, func(), error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	f := &follower{p: p, id: id, tags: tags, to: to, busy: true}
	heard := p.join(f)
	select {
	case <-heard:
	case <-ctx.Done():
		f.stop()
		return live.Position{}, nil, wrap("watch", fmt.Errorf("not subscribed in time: %w", ctx.Err()))
	case <-p.life.Done():
		f.stop()
		return live.Position{}, nil, wrap("watch", p.life.Err())
	}
	at, err := p.begin(ctx, id, tags, f.watcher)
	if err != nil {
		f.stop()
		return live.Position{}, nil, wrap("watch", err)
	}
	f.mu.Lock()
	f.at = at
	f.goOn()
	f.mu.Unlock()
	return at, f.stop, nil
}

// join enters a follower and returns what is closed when messages reach it.
func (p *Plane) join(f *follower) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count++
	f.watcher = p.watcher(p.count, f.id)
	w := p.watches[f.id]
	if w == nil {
		w = &watch{heard: make(chan struct{}), due: time.Now().Add(p.keepEvery())}
		p.watches[f.id] = w
		p.mark(f.id)
	}
	w.followers = append(w.followers, f)
	return w.heard
}

// mark has a session's channel subscribed to, or no longer. The caller holds p.mu.
func (p *Plane) mark(id sojourn.ID) {
	p.dirty[id] = struct{}{}
	poke(p.turn)
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// stop forgets a follower, which is given nothing any more. That it was present
// is taken back a moment later.
func (f *follower) stop() {
	f.mu.Lock()
	again := f.over
	f.over, f.early = true, nil
	f.mu.Unlock()
	if again {
		return
	}
	p := f.p
	p.mu.Lock()
	defer p.mu.Unlock()
	w := p.watches[f.id]
	w.followers = slices.DeleteFunc(w.followers, func(other *follower) bool { return other == f })
	if len(w.followers) == 0 {
		delete(p.watches, f.id)
		p.mark(f.id)
	}
	for _, tag := range f.tags {
		key := p.watchedKey(tag)
		p.left[key] = append(p.left[key], f.watcher)
	}
	poke(p.leave)
}

// take is given each message of the channel, in order.
func (f *follower) take(m message) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.over:
	case f.busy:
		if len(f.early) == maxEarly {
			f.early = append(f.early[:0], f.early[1:]...)
		}
		f.early = append(f.early, m)
	case m.epoch == f.at.Epoch && m.event.Offset > f.at.Offset+1:
		f.early = append(f.early, m)
		f.fill()
	default:
		f.pass(m)
	}
}

// pass delivers what follows, or begins anew. The caller holds f.mu.
func (f *follower) pass(m message) {
	before := live.Position{Epoch: m.epoch, Offset: m.event.Offset - 1}
	switch {
	case m.epoch == f.at.Epoch && m.event.Offset <= f.at.Offset:
		return
	case before != f.at:
		f.to.Moved(before)
	}
	f.at = live.Position{Epoch: m.epoch, Offset: m.event.Offset}
	f.to.Deliver(m.epoch, m.event)
}

// goOn passes what has waited. The caller holds f.mu.
func (f *follower) goOn() {
	f.busy = false
	early := f.early
	f.early = nil
	for _, m := range early {
		f.pass(m)
	}
}

// fill reads what is missing while messages wait. The caller holds f.mu.
func (f *follower) fill() {
	f.busy = true
	from := f.at
	go func() {
		page, err := f.p.read(f.p.life, f.id, from)
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.over {
			return
		}
		switch {
		case err != nil: // what waits tells that something is missing
		case page.Recovered:
			for _, e := range page.Events {
				f.pass(message{page.Position.Epoch, e})
			}
		case page.Position.Epoch != "":
			f.at = page.Position
			f.to.Moved(f.at)
		}
		f.goOn()
	}()
}

// check compares with where the log is, which may be nowhere.
func (f *follower) check(ctx context.Context, at live.Position) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.over || f.busy:
	case at.Epoch == "":
		f.busy = true
		go f.again(ctx)
	case at.Epoch != f.at.Epoch || at.Offset > f.at.Offset:
		f.fill()
	}
}

// again begins a log anew that is gone: evicted, flushed or left behind by a
// failover.
func (f *follower) again(ctx context.Context) {
	at, err := f.p.begin(ctx, f.id, f.tags, f.watcher)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil && !f.over && f.at != at {
		f.at = at
		f.to.Moved(at)
	}
	f.goOn() // an end that was missed is found by reading the session again
}
