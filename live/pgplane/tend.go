package pgplane

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/live"
)

const (
	beatEvery = 3 * time.Second
	beatTTL   = 12 * time.Second // for so long a node that is killed counts
	keepBatch = 500
)

// keepEvery is how often a watched log is kept alive.
func (p *Plane) keepEvery() time.Duration { return p.opt.Retention.For / 2 }

// tend says that this node lives, keeps alive what it watches, takes back what it
// watched, and sweeps.
func (p *Plane) tend() {
	tick := time.NewTicker(min(time.Second, p.keepEvery()/2))
	defer tick.Stop()
	beaten, sweep := time.Now(), time.Now().Add(rand.N(p.keepEvery()))
	for {
		select {
		case <-p.life.Done():
			return
		case <-p.leave:
			p.mu.Lock()
			left := p.left
			p.left = nil
			p.mu.Unlock()
			p.complain("who has left counts as present for a while", p.exec(p.life, sqlLeave, p.node, left))
		case now := <-tick.C:
			if now.Sub(beaten) >= beatEvery && p.exec(p.life, sqlBeat, p.node, beatTTL.Milliseconds()) == nil {
				beaten = now
			}
			p.complain("logs could not be kept alive", p.keep(p.life, p.due(now)))
			if now.After(sweep) {
				sweep = now.Add(p.keepEvery()/2 + rand.N(p.keepEvery()))
				p.complain("old logs could not be removed", p.sweep(p.life))
			}
		}
	}
}

func (p *Plane) complain(what string, err error) {
	if err != nil && p.life.Err() == nil {
		p.opt.Logger.Warn("pgplane: "+what, slog.Any("error", err))
	}
}

func (p *Plane) due(now time.Time) (ids []sojourn.ID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, w := range p.watches {
		if now.After(w.due) {
			w.due = now.Add(p.keepEvery())
			ids = append(ids, id)
		}
	}
	return ids
}

// keep also compares positions: a notification that was lost shows there, if none
// follows it.
func (p *Plane) keep(ctx context.Context, ids []sojourn.ID) error {
	for batch := range slices.Chunk(ids, keepBatch) {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		err := p.keepBatch(ctx, batch)
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *Plane) keepBatch(ctx context.Context, batch []sojourn.ID) error {
	raw := make([][]byte, len(batch))
	for i, id := range batch {
		raw[i] = []byte(id)
	}
	rows, err := p.pool.Query(ctx, sqlKeep, raw)
	if err != nil {
		return err
	}
	defer rows.Close()
	there := map[sojourn.ID]bool{}
	for rows.Next() {
		var id []byte
		var at live.Position
		if err := rows.Scan(&id, &at.Epoch, &at.Offset); err != nil {
			return err
		}
		there[sojourn.ID(id)] = true
		p.hint(sojourn.ID(id), at)
	}
	for _, id := range batch {
		if !there[id] {
			p.mark(id)
		}
	}
	return rows.Err()
}

// sweep removes what nobody uses any more. Every node does it now and then.
func (p *Plane) sweep(ctx context.Context) error {
	keep := p.opt.Retention.For.Milliseconds()
	for {
		within, cancel := context.WithTimeout(ctx, callTimeout)
		var n int
		err := p.pool.QueryRow(within, sqlSweep, 2*keep).Scan(&n)
		cancel()
		if err != nil {
			return err
		}
		if n < 1000 {
			return p.exec(ctx, sqlSweepRest, keep)
		}
	}
}
