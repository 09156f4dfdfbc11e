package redisplane

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"
	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/redisurl"
	"github.com/sojournhq/sojourn/live"
)

// listen keeps one connection subscribed to what this node follows, and tells
// the hub when it has none that works.
//
//	connect ─▶ subscribe to all ─▶ a message to itself comes ─▶ catch up ─▶ restored
//	   ▲                                                                       │
//	   └── lost ◀── the connection breaks, or such a message does not come ◀───┘
func (p *Plane) listen() {
	lost := false
	for wait := 50 * time.Millisecond; p.life.Err() == nil; wait = min(2*wait, time.Second) {
		err := p.hear(func() {
			wait = 25 * time.Millisecond
			if lost {
				lost = false
				p.opt.Logger.Info("redisplane: messages arrive again")
				p.health.Restored()
			}
		})
		if p.life.Err() != nil {
			return
		}
		if !lost {
			lost = true
			p.opt.Logger.Warn("redisplane: messages do not arrive", slog.Any("error", err))
			p.health.Lost()
		}
		select {
		case <-p.life.Done():
		case <-time.After(wait/2 + rand.N(wait)):
		}
	}
}

// hear listens until the connection fails, and returns why.
func (p *Plane) hear(works func()) error {
	ctx, cancel := context.WithCancel(p.life)
	defer cancel()
	p.deafen()
	conn, err := p.dedicate(ctx)
	if err != nil {
		return err
	}
	defer func() { go conn.Close() }() // a server that does not answer is not waited for
	broken := conn.SetPubSubHooks(rueidis.PubSubHooks{OnMessage: p.receive})
	if err := p.subscribe(ctx, conn, p.probeChannel()); err != nil {
		return err
	}
	subscribed := map[sojourn.ID]bool{}
	if err := p.settle(ctx, conn, subscribed); err != nil {
		return err
	}
	tick := time.NewTicker(p.opt.Probe)
	defer tick.Stop()
	go p.probe(ctx)
	caughtUp := make(chan struct{}, 1)
	for working := false; ; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-broken:
			if err == nil {
				err = errors.New("it was closed")
			}
			return fmt.Errorf("the connection broke: %w", err)
		case <-p.turn:
			if err := p.settle(ctx, conn, subscribed); err != nil {
				return err
			}
		case <-tick.C:
			late, answered := p.late()
			switch {
			case late != "":
				return fmt.Errorf("a message sent by %s did not arrive within %v", late, 2*p.opt.Probe)
			case answered && !working:
				working = true
				go func() {
					p.catchUp(ctx)
					caughtUp <- struct{}{}
				}()
			}
			go p.probe(ctx)
		case <-caughtUp:
			works()
		}
	}
}

func (p *Plane) dedicate(ctx context.Context) (rueidis.DedicatedClient, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	return within(ctx, func() (rueidis.DedicatedClient, error) {
		conn, _ := p.client.Dedicate()
		return conn, nil
	}, func(conn rueidis.DedicatedClient) { conn.Close() })
}

// deafen begins anew: nothing is subscribed to, no message under way.
func (p *Plane) deafen() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.probes)
	for id, w := range p.watches {
		p.dirty[id] = struct{}{}
		if w.isHeard {
			w.isHeard, w.heard = false, make(chan struct{})
		}
	}
}

const channelsAtOnce = 256

// settle subscribes to what has come and unsubscribes from what has gone.
func (p *Plane) settle(ctx context.Context, conn rueidis.DedicatedClient, subscribed map[sojourn.ID]bool) error {
	var come, gone []sojourn.ID
	p.mu.Lock()
	for id := range p.dirty {
		switch w := p.watches[id]; {
		case w == nil && subscribed[id]:
			gone = append(gone, id)
		case w != nil && !subscribed[id]:
			come = append(come, id)
		case w != nil && !w.isHeard:
			w.isHeard = true
			close(w.heard)
		}
	}
	clear(p.dirty)
	p.mu.Unlock()
	for ids := range slices.Chunk(gone, channelsAtOnce) {
		if err := p.within(ctx, conn, conn.B().Unsubscribe().Channel(p.channelsOf(ids)...).Build()); err != nil {
			return err
		}
		for _, id := range ids {
			delete(subscribed, id)
		}
	}
	for ids := range slices.Chunk(come, channelsAtOnce) {
		if err := p.subscribe(ctx, conn, p.channelsOf(ids)...); err != nil {
			return err
		}
		p.mu.Lock()
		for _, id := range ids {
			subscribed[id] = true
			if w := p.watches[id]; w != nil && !w.isHeard {
				w.isHeard = true
				close(w.heard)
			}
		}
		p.mu.Unlock()
	}
	return nil
}

func (p *Plane) channelsOf(ids []sojourn.ID) []string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = p.channelOf(id)
	}
	return names
}

// subscribe returns when the server has confirmed it.
func (p *Plane) subscribe(ctx context.Context, conn rueidis.DedicatedClient, channels ...string) error {
	return p.within(ctx, conn, conn.B().Subscribe().Channel(channels...).Build())
}

func (p *Plane) within(ctx context.Context, conn rueidis.DedicatedClient, command rueidis.Completed) error {
	ctx, cancel := context.WithTimeout(ctx, max(time.Second, 2*p.opt.Probe))
	defer cancel()
	return conn.Do(ctx, command).Error()
}

// receive is called on the goroutine that reads the connection: it waits for
// nothing.
func (p *Plane) receive(m rueidis.PubSubMessage) {
	if m.Channel == p.probeChannel() {
		p.mu.Lock()
		delete(p.probes, m.Message)
		p.mu.Unlock()
		return
	}
	id := sojourn.ID(strings.TrimPrefix(m.Channel, p.channels))
	p.mu.Lock()
	w := p.watches[id]
	var followers []*follower
	if w != nil {
		followers = slices.Clone(w.followers)
	}
	p.mu.Unlock()
	if len(followers) == 0 {
		return
	}
	cursor, raw, _ := strings.Cut(m.Message, ":")
	at, ok := live.ParsePosition(cursor)
	var e live.Event
	if err := json.Unmarshal([]byte(raw), &e); err != nil || !ok || at.Offset == 0 {
		p.opt.Logger.Error("redisplane: a malformed message: does another program use these channels?", slog.String("channel", m.Channel))
		return
	}
	e.Offset = at.Offset
	for _, f := range followers {
		f.take(message{at.Epoch, e})
	}
}

// probe sends this node a message: in a Cluster by every server, since each way
// may be broken by itself.
func (p *Plane) probe(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*p.opt.Probe)
	defer cancel()
	nodes := map[string]rueidis.Client{"the server": p.client}
	if p.topology == redisurl.Cluster {
		nodes = p.client.Nodes()
	}
	for addr, node := range nodes {
		text := addr + "#" + strconv.FormatUint(rand.Uint64(), 36)
		p.mu.Lock()
		p.probes[text] = time.Now()
		p.mu.Unlock()
		err := node.Do(ctx, node.B().Publish().Channel(p.probeChannel()).Message(text).Build()).Error()
		if err != nil && p.topology == redisurl.Cluster { // it may be about to be replaced; its sessions say so themselves
			p.mu.Lock()
			delete(p.probes, text)
			p.mu.Unlock()
		}
	}
}

// late is the sender of a message that should have come, and whether none is
// under way.
func (p *Plane) late() (sender string, answered bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for text, at := range p.probes {
		if time.Since(at) > 2*p.opt.Probe {
			sender, _, _ = strings.Cut(text, "#")
			return sender, false
		}
	}
	return "", len(p.probes) == 0
}
