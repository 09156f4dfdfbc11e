package pgplane

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/live"
)

// listen keeps the connection that hears of new events, and tells the hub when
// there is none that works.
//
//	connect, LISTEN ─▶ a notification to itself comes ─▶ read what was missed ─▶ restored
//	   ▲                                                                            │
//	   └── lost ◀── the connection breaks, or such a notification does not come ◀───┘
func (p *Plane) listen() {
	lost := false
	for wait := 50 * time.Millisecond; p.life.Err() == nil; wait = min(2*wait, time.Second) {
		err := p.hear(func() {
			wait = 25 * time.Millisecond
			if lost {
				lost = false
				p.opt.Logger.Info("pgplane: notifications arrive again")
				p.health.Restored()
			}
		})
		p.deafen()
		if p.life.Err() != nil {
			return
		}
		if !lost {
			lost = true
			p.opt.Logger.Warn("pgplane: notifications do not arrive", slog.Any("error", err))
			p.health.Lost()
		}
		select {
		case <-p.life.Done():
		case <-time.After(wait/2 + rand.N(wait)):
		}
	}
}

func (p *Plane) deafen() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.probes)
	if p.isHeard {
		p.isHeard, p.heard = false, make(chan struct{})
	}
}

// hear listens until the connection fails, and returns why.
func (p *Plane) hear(works func()) error {
	ctx, cancel := context.WithCancelCause(p.life)
	defer cancel(nil)
	connecting, done := context.WithTimeout(ctx, callTimeout)
	conn, err := pgx.ConnectConfig(connecting, p.pool.Config().ConnConfig)
	done()
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		conn.Close(ctx)
	}()
	listening, done := context.WithTimeout(ctx, callTimeout)
	_, err = conn.Exec(listening, "LISTEN "+p.channel)
	done()
	if err != nil {
		return err
	}
	own := make(chan string, 16)
	watcher := make(chan struct{})
	go func() {
		defer close(watcher)
		cancel(p.watchOver(ctx, own, works))
	}()
	defer func() { <-watcher }()
	defer cancel(nil)
	for {
		n, err := conn.WaitForNotification(ctx)
		switch {
		case err != nil && ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return fmt.Errorf("the connection broke: %w", err)
		}
		p.notified(n.Payload, own)
	}
}

func (p *Plane) notified(payload string, own chan<- string) {
	parts := strings.Split(payload, " ")
	switch {
	case len(parts) == 3 && parts[0] == "probe":
		if parts[1] == p.node {
			select {
			case own <- parts[2]:
			default:
			}
		}
	case len(parts) == 3:
		id, err := hex.DecodeString(parts[0])
		offset, err2 := strconv.ParseUint(parts[2], 10, 63)
		if err != nil || err2 != nil {
			p.opt.Logger.Error("pgplane: a malformed notification: does another program use this channel?")
			return
		}
		p.hint(sojourn.ID(id), live.Position{Epoch: parts[1], Offset: offset})
	}
}

// hint has a log read if a follower lacks what is there.
func (p *Plane) hint(id sojourn.ID, log live.Position) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := p.watches[id]
	if w == nil {
		return
	}
	for _, f := range w.followers {
		if at, ok := f.position(); ok && (at.Epoch != log.Epoch || at.Offset < log.Offset) {
			p.dirty[id] = struct{}{}
			poke(p.news)
			return
		}
	}
}

// watchOver notifies this node and returns when that is not heard.
func (p *Plane) watchOver(ctx context.Context, own <-chan string, works func()) error {
	tick := time.NewTicker(p.opt.Probe)
	defer tick.Stop()
	sent := map[string]time.Time{}
	failed := make(chan error, 16)
	probe := func() {
		text := strconv.FormatUint(rand.Uint64(), 36)
		sent[text] = time.Now()
		go func() {
			ctx, cancel := context.WithTimeout(ctx, 2*p.opt.Probe)
			defer cancel()
			if _, err := p.pool.Exec(ctx, sqlNotify, p.channel, "probe "+p.node+" "+text); err != nil {
				select {
				case failed <- err:
				default:
				}
			}
		}()
	}
	probe()
	var why error
	for working := false; ; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case why = <-failed:
		case text := <-own:
			if delete(sent, text); !working {
				working = true
				p.hearAgain()
				works()
			}
		case <-tick.C:
			for _, at := range sent {
				if time.Since(at) > 2*p.opt.Probe {
					return errors.Join(fmt.Errorf("a notification to this node did not arrive within %v", 2*p.opt.Probe), why)
				}
			}
			probe()
		}
	}
}

// hearAgain has everything read that may have been missed.
func (p *Plane) hearAgain() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id := range p.watches {
		p.dirty[id] = struct{}{}
	}
	poke(p.news)
	p.isHeard = true
	close(p.heard)
}
