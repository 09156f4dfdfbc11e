package movestore_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/movestore"
)

// A process works on the two stores of a scene, one call at a time, each when it
// is told.
type process struct {
	mu      sync.Mutex
	changed *sync.Cond
	waiting int // calls that wait to be let through
	allowed int
	crashed bool
	done    bool
}

// begin runs work in a process of its own, which stops before its first call.
func (c *scene) begin(work func(*movestore.Store)) *process {
	p := &process{}
	p.changed = sync.NewCond(&p.mu)
	go func() {
		work(movestore.New(&gate{c.from, p}, &gate{c.to, p}, nil))
		p.mu.Lock()
		defer p.mu.Unlock()
		p.done = true
		p.changed.Broadcast()
	}()
	return p
}

// run lets at most n calls through and returns when the last is over.
func (p *process) run(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for range n {
		for p.waiting == 0 && !p.done {
			p.changed.Wait()
		}
		if p.done {
			return
		}
		p.allowed++
		p.changed.Broadcast()
		for p.allowed > 0 {
			p.changed.Wait()
		}
		for p.waiting == 0 && !p.done { // until the call is over
			p.changed.Wait()
		}
	}
}

// crash ends the process where it is.
func (p *process) crash() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.crashed = true
	p.changed.Broadcast()
	for !p.done {
		p.changed.Wait()
	}
}

func (p *process) pass() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting++
	p.changed.Broadcast()
	for p.allowed == 0 && !p.crashed {
		p.changed.Wait()
	}
	p.waiting--
	if p.crashed {
		return errCrash
	}
	p.allowed--
	p.changed.Broadcast()
	return nil
}

type gate struct {
	sojourn.Store
	p *process
}

func (g *gate) Load(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
	if err := g.p.pass(); err != nil {
		return sojourn.Record{}, err
	}
	return g.Store.Load(ctx, id)
}

func (g *gate) Create(ctx context.Context, r *sojourn.Record) error {
	if err := g.p.pass(); err != nil {
		return err
	}
	return g.Store.Create(ctx, r)
}

func (g *gate) Update(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
	if err := g.p.pass(); err != nil {
		return sojourn.Record{}, err
	}
	return g.Store.Update(ctx, r)
}

func (g *gate) Revoke(ctx context.Context, r sojourn.RevokedRecord) error {
	if err := g.p.pass(); err != nil {
		return err
	}
	return g.Store.Revoke(ctx, r)
}

func (g *gate) RevokeOwner(ctx context.Context, owner string) (uint64, error) {
	if err := g.p.pass(); err != nil {
		return 0, err
	}
	return g.Store.RevokeOwner(ctx, owner)
}

// TestP1EverySchedule runs a carrying and a revocation of two processes in every
// order of their calls, lets the carrying one crash at every moment, and sweeps
// all tombstones: the session is dead from the moment the revocation returns.
func TestP1EverySchedule(t *testing.T) {
	const calls = 9
	for name, end := range map[string]func(*scene, *movestore.Store) error{
		"Revoke": func(c *scene, s *movestore.Store) error { return s.Revoke(c.Context(), c.revocation()) },
		"RevokeOwner": func(c *scene, s *movestore.Store) error {
			return second(s.RevokeOwner(c.Context(), owner))
		},
	} {
		t.Run(name, func(t *testing.T) {
			for before := range calls {
				for between := range calls - before {
					for after := range calls - before - between + 1 {
						for _, look := range []bool{false, true} {
							c := newScene(t)
							what := fmt.Sprintf("%d calls, half of %s, %d calls, the other half, %d calls, crash", before, name, between, after)
							carrier := c.begin(func(s *movestore.Store) { s.Load(c.Context(), c.r.ID) })
							revoker := c.begin(func(s *movestore.Store) { c.must(end(c, s)) })
							carrier.run(before)
							revoker.run(1)
							carrier.run(between)
							revoker.run(1)
							if look { // which may tidy up
								c.isDead(what + " (at once)")
							}
							carrier.run(after)
							carrier.crash()
							revoker.crash()
							c.forgets()
							c.isDead(what)
							if t.Failed() {
								return
							}
						}
					}
				}
			}
		})
	}
}

func (c *scene) isDead(what string) {
	c.Helper()
	if r, ok := c.isLive(c.move); ok {
		c.Errorf("%s: the session lives: %+v", what, r)
	}
	if r, ok := c.isLive(c.to); ok {
		if _, err := read(r); err == nil {
			c.Errorf("%s: the new store alone has it live: %+v", what, r)
		}
	}
}

// TestTwoCarriers has two processes carry one session in many orders of their
// calls, while the first to be done already writes.
func TestTwoCarriers(t *testing.T) {
	for first := range lastCall {
		for then := range lastCall {
			c := newScene(t)
			write := func(s *movestore.Store) {
				for {
					r, err := s.Load(c.Context(), c.r.ID)
					if err != nil {
						c.Errorf("Load: %v", err)
						return
					}
					r.Payload = append(r.Payload[:len(r.Payload):len(r.Payload)], '+')
					if _, err = s.Update(c.Context(), &r); err == nil {
						return
					}
				}
			}
			a, b := c.begin(write), c.begin(write)
			a.run(first)
			b.run(then)
			a.run(100)
			b.run(100)
			r, ok := c.isLive(c.move)
			if got, _ := read(r); !ok || got != "payload++" {
				t.Errorf("after %d calls and %d calls: %q (live: %v)", first, then, r.Payload, ok)
			}
			c.isArrived("payload++")
		}
	}
}
