package pgplane

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
	due       time.Time // when its log is kept alive again
}

// A follower is what one Watch is given: fetchAll alone delivers to it.
type follower struct {
	p      *Plane
	id     sojourn.ID
	tags   []string
	to     live.Follower
	number int64

	mu   sync.Mutex
	at   live.Position // the newest that was delivered; none until Watch knows it
	over bool
}

// Watch implements [live.Backplane]: one round trip.
func (p *Plane) Watch(ctx context.Context, id sojourn.ID, tags []string, to live.Follower) (live.Position, func(), error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	f := &follower{p: p, id: id, tags: tags, to: to}
	heard := p.join(f)
	select {
	case <-heard:
	case <-ctx.Done():
		f.stop()
		return live.Position{}, nil, wrap("watch", fmt.Errorf("no notifications arrive: %w", ctx.Err()))
	case <-p.life.Done():
		f.stop()
		return live.Position{}, nil, wrap("watch", p.life.Err())
	}
	at, err := p.begin(ctx, id, tags, f.number)
	if err != nil {
		f.stop()
		return live.Position{}, nil, wrap("watch", err)
	}
	f.mu.Lock()
	f.at = at
	f.mu.Unlock()
	p.mark(id) // a notification may have come before the position was known
	return at, f.stop, nil
}

func (p *Plane) join(f *follower) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count++
	f.number = p.count
	w := p.watches[f.id]
	if w == nil {
		w = &watch{due: time.Now().Add(p.keepEvery())}
		p.watches[f.id] = w
	}
	w.followers = append(w.followers, f)
	return p.heard
}

// stop forgets a follower, which is given nothing any more. That it was present
// is taken back a moment later.
func (f *follower) stop() {
	f.mu.Lock()
	again := f.over
	f.over = true
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
	}
	if len(f.tags) > 0 {
		p.left = append(p.left, f.number)
		poke(p.leave)
	}
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// mark has the log of a session read.
func (p *Plane) mark(id sojourn.ID) {
	p.mu.Lock()
	p.dirty[id] = struct{}{}
	p.mu.Unlock()
	poke(p.news)
}

// position is where a follower is; false while it does not know, or any more.
func (f *follower) position() (live.Position, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at, !f.over && f.at.Epoch != ""
}

// give delivers what a follower lacks of a log, which is at that position.
func (f *follower) give(log live.Position, events []live.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over {
		return
	}
	if log.Epoch != f.at.Epoch {
		f.at = log
		f.to.Moved(log)
		return
	}
	for _, e := range events {
		if e.Offset <= f.at.Offset {
			continue
		}
		if before := (live.Position{Epoch: log.Epoch, Offset: e.Offset - 1}); before != f.at {
			f.to.Moved(before)
		}
		f.at.Offset = e.Offset
		f.to.Deliver(log.Epoch, e)
	}
	if log.Offset > f.at.Offset { // trimmed away before they were read
		f.at = log
		f.to.Moved(log)
	}
}

// again begins a log anew that is gone: after a crash of the server, say.
func (f *follower) again(ctx context.Context) {
	at, err := f.p.begin(ctx, f.id, f.tags, f.number)
	if err != nil {
		return // the next time; an end is found by reading the session again
	}
	f.give(at, nil)
}
