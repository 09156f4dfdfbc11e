package redisplane

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/redis/rueidis"
	"github.com/sojournhq/sojourn/live"
)

const (
	beatEvery = 3 * time.Second
	beatTTL   = 12 * time.Second // for so long a node that is killed counts
	keepBatch = 256
)

// keepEvery is how often the keys of a watched log are kept alive.
func (p *Plane) keepEvery() time.Duration { return p.opt.Retention.For / 2 }

// tend says that this node lives, keeps alive what it watches and takes back
// what it watched.
func (p *Plane) tend() {
	tick := time.NewTicker(min(time.Second, p.keepEvery()/2))
	defer tick.Stop()
	beaten := time.Now()
	for {
		select {
		case <-p.life.Done():
			return
		case <-p.leave:
			p.depart()
		case now := <-tick.C:
			if now.Sub(beaten) >= beatEvery {
				if err := p.beat(p.life); err == nil {
					beaten = now
				}
			}
			p.keep(p.life, p.due(now))
		}
	}
}

func (p *Plane) beat(ctx context.Context) error {
	return p.do(ctx, call{scriptBeat, []string{p.nodesKey()}, []string{ms(beatTTL), p.node}}).Error()
}

// depart takes back that sessions are present.
func (p *Plane) depart() {
	p.mu.Lock()
	left := p.left
	p.left = map[string][]string{}
	p.mu.Unlock()
	ctx, cancel := context.WithTimeout(p.life, callTimeout)
	defer cancel()
	var commands rueidis.Commands
	for key, watchers := range left {
		commands = append(commands, p.client.B().Zrem().Key(key).Member(watchers...).Build())
	}
	for _, answer := range p.client.DoMulti(ctx, commands...) {
		if err := answer.Error(); err != nil && p.life.Err() == nil {
			p.opt.Logger.Warn("redisplane: who has left counts as present for a while", slog.Any("error", err))
			return
		}
	}
}

// due are the followers whose keys are to be kept alive now.
func (p *Plane) due(now time.Time) (all []*follower) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range p.watches {
		if now.After(w.due) {
			w.due = now.Add(p.keepEvery())
			all = append(all, w.followers...)
		}
	}
	return all
}

// catchUp looks whether any follower has missed something.
func (p *Plane) catchUp(ctx context.Context) {
	p.mu.Lock()
	var all []*follower
	for _, w := range p.watches {
		all = append(all, w.followers...)
	}
	p.mu.Unlock()
	p.keep(ctx, all)
}

// keep also compares positions: a message that was lost on its way shows there,
// if none follows it.
func (p *Plane) keep(ctx context.Context, all []*follower) {
	for batch := range slices.Chunk(all, keepBatch) {
		var calls []call
		for _, f := range batch {
			calls = append(calls, call{scriptKeep, p.logKeys(f.id), []string{p.ttl()}})
		}
		for _, f := range batch {
			calls = append(calls, p.tagging(f.id, f.tags, f.watcher)...)
		}
		answers := p.all(ctx, calls)
		for i, f := range batch {
			pair, err := answers[i].ToArray()
			if err != nil || len(pair) != 2 {
				continue // the next time
			}
			var at live.Position
			at.Epoch, _ = pair[0].ToString()
			at.Offset, _ = offsetOf(&pair[1])
			f.check(ctx, at)
		}
	}
}
