package live

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/sojournhq/sojourn"
)

// InProcess returns the backplane that a hub has by default. Given to several
// hubs it makes them nodes of one system, as tests want to. Fields of keep that
// are zero have their defaults.
func InProcess(keep Retention) Backplane {
	return newMemory(keep.OrDefault())
}

// memory is the Backplane of one process.
type memory struct {
	keep  Retention
	mu    sync.Mutex
	logs  map[sojourn.ID]*memoryLog
	tags  map[string]*idSet
	tombs map[sojourn.ID]tomb
	timer *time.Timer // of the sweep, while there is something to sweep
}

type memoryLog struct {
	eventLog
	tags      []string
	followers []*Follower
	used      time.Time
}

type tomb struct {
	reason sojourn.Reason
	until  time.Time
}

func newMemory(keep Retention) *memory {
	return &memory{
		keep:  keep,
		logs:  make(map[sojourn.ID]*memoryLog),
		tags:  make(map[string]*idSet),
		tombs: make(map[sojourn.ID]tomb),
	}
}

func (p *memory) Start(Health) error { return nil }

func (p *memory) Open(_ context.Context, id sojourn.ID, tags []string) (Position, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l, err := p.open(id, tags)
	if err != nil {
		return Position{}, err
	}
	return l.position(), nil
}

func (p *memory) open(id sojourn.ID, tags []string) (*memoryLog, error) {
	now := time.Now()
	if t, ok := p.tombs[id]; ok && now.Before(t.until) {
		return nil, &Ended{State: sojourn.StateEnded, Reason: t.reason}
	}
	l := p.logs[id]
	if l == nil {
		l = &memoryLog{eventLog: eventLog{epoch: NewEpoch()}}
		p.logs[id] = l
		if p.timer == nil {
			p.timer = time.AfterFunc(p.keep.For, p.sweep)
		}
	}
	l.used = now
	for _, tag := range tags {
		if !slices.Contains(l.tags, tag) {
			l.tags = append(l.tags, tag)
			if p.tags[tag] == nil {
				p.tags[tag] = new(idSet)
			}
			p.tags[tag].add(id)
		}
	}
	return l, nil
}

func (p *memory) Append(_ context.Context, ids []sojourn.ID, e Event) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range ids {
		if l := p.logs[id]; l != nil {
			p.append(l, e)
		}
	}
	return nil
}

func (p *memory) append(l *memoryLog, e Event) {
	l.add(e, &p.keep)
	e.Offset = l.top
	for _, f := range l.followers {
		(*f).Deliver(l.epoch, e)
	}
}

func (p *memory) Read(_ context.Context, id sojourn.ID, after Position) (Page, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.logs[id]
	if l == nil {
		return Page{}, nil
	}
	l.used = time.Now()
	l.trim(l.used, &p.keep)
	events, ok := l.after(after)
	return Page{Events: slices.Clone(events), Position: l.position(), Recovered: ok}, nil
}

func (p *memory) End(_ context.Context, id sojourn.ID, e Event, reason sojourn.Reason, keep time.Duration) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l := p.logs[id]; l != nil {
		p.tombs[id] = tomb{reason, time.Now().Add(keep)}
		p.append(l, e)
		p.drop(id, l)
	}
	return nil
}

func (p *memory) drop(id sojourn.ID, l *memoryLog) {
	delete(p.logs, id)
	for _, tag := range l.tags {
		if p.tags[tag].remove(id) {
			delete(p.tags, tag)
		}
	}
}

func (p *memory) Tagged(_ context.Context, tag string) ([]sojourn.ID, error) {
	return p.list(tag, func(*memoryLog) bool { return true }), nil
}

func (p *memory) Present(_ context.Context, tag string) ([]sojourn.ID, error) {
	return p.list(tag, func(l *memoryLog) bool { return len(l.followers) > 0 }), nil
}

func (p *memory) list(tag string, want func(*memoryLog) bool) []sojourn.ID {
	p.mu.Lock()
	defer p.mu.Unlock()
	set := p.tags[tag]
	if set == nil {
		return nil
	}
	return slices.DeleteFunc(set.list(), func(id sojourn.ID) bool { return !want(p.logs[id]) })
}

func (p *memory) Watch(_ context.Context, id sojourn.ID, tags []string, f Follower) (Position, func(), error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l, err := p.open(id, tags)
	if err != nil {
		return Position{}, nil, err
	}
	own := &f // one place in the list per call
	l.followers = append(l.followers, own)
	return l.position(), func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		l.followers = slices.DeleteFunc(l.followers, func(other *Follower) bool { return other == own })
		l.used = time.Now()
	}, nil
}

func (p *memory) Known(id sojourn.ID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.logs[id] != nil
}

// sweep drops logs that nobody used for as long as they keep events, since all
// events in them are gone by then, and forgets old ends.
func (p *memory) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	for id, l := range p.logs {
		if l.trim(now, &p.keep); len(l.followers) == 0 && now.Sub(l.used) >= p.keep.For {
			p.drop(id, l)
		}
	}
	for id, t := range p.tombs {
		if !now.Before(t.until) {
			delete(p.tombs, id)
		}
	}
	if len(p.logs)+len(p.tombs) == 0 {
		p.timer = nil
		return
	}
	p.timer = time.AfterFunc(p.keep.For/4, p.sweep)
}
