package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sojournhq/sojourn"
)

const (
	carryTimeout  = 10 * time.Second
	carryAttempts = 5
	failuresShown = 5
	failuresMax   = 100 // then something is wrong with more than one session
)

// carryAll goes through the old store once and carries what it meets. When ctx
// ends, those under way are finished first.
func (m *migration) carryAll(ctx context.Context) (err error) {
	m.show.begin("Carrying", m.report.Found)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	work := make(chan sojourn.Record)
	var workers sync.WaitGroup
	var mu sync.Mutex // of the report
	failures := 0
	for range m.flags.parallel {
		workers.Go(func() {
			for r := range work {
				now, carried, err := m.carry(ctx, r.ID)
				mu.Lock()
				switch {
				case carried && err == nil:
					m.report.Carried++
					m.samples.offer(r, now)
				case errors.Is(err, sojourn.ErrNotFound):
					m.report.EndedMeanwhile++
				case err != nil && ctx.Err() == nil:
					if failures++; failures <= failuresShown {
						m.report.problem("session %s: %v", r.ID, err)
					}
					if failures == failuresMax {
						cancel(fmt.Errorf("gave up after %d sessions that could not be carried; run the same command again to go on", failures))
					}
				case err == nil:
					m.report.ByServers++
				}
				mu.Unlock()
				m.show.step()
			}
		})
	}
	defer func() {
		close(work)
		workers.Wait()
		m.report.Failed = failures
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
	}()
	pace := newPace(m.flags.rate)
	for r, err := range records(ctx, m.from) {
		if err != nil {
			return err
		}
		if !worth(r, time.Now()) {
			continue
		}
		if err := pace.wait(ctx); err != nil {
			return err
		}
		select {
		case work <- *r:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// carry moves one session, again if a store did not answer. What has begun is
// finished, also when the command is stopped.
func (m *migration) carry(ctx context.Context, id sojourn.ID) (r sojourn.Record, carried bool, err error) {
	for attempt := range carryAttempts {
		once, cancel := context.WithTimeout(context.WithoutCancel(ctx), carryTimeout)
		var now bool
		r, now, err = m.move.Carry(once, id)
		carried = carried || now
		cancel()
		if err == nil || errors.Is(err, sojourn.ErrNotFound) || errors.Is(err, sojourn.ErrTooLarge) || errors.Is(err, sojourn.ErrInvalid) {
			return r, carried, err
		}
		select {
		case <-ctx.Done():
			return r, carried, err
		case <-time.After(100 * time.Millisecond << attempt):
		}
	}
	return r, carried, err
}

// A pace bounds how often something is done, without bursts.
type pace struct {
	gap  time.Duration // 0: no bound
	next time.Time
}

func newPace(perSecond int) *pace {
	if perSecond == 0 {
		return &pace{}
	}
	return &pace{gap: time.Second / time.Duration(perSecond)}
}

func (p *pace) wait(ctx context.Context) error {
	if p.gap == 0 {
		return ctx.Err()
	}
	now := time.Now()
	if p.next.Before(now) {
		p.next = now
	}
	delay := p.next.Sub(now)
	p.next = p.next.Add(p.gap)
	if delay < time.Millisecond { // a timer is no finer
		return ctx.Err()
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(delay):
		return nil
	}
}
