package pgplane

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/live"
)

const fetchAtOnce = 500

// fetchAll reads what is new of all sessions that were named since the last time,
// in one query.
func (p *Plane) fetchAll() {
	for {
		select {
		case <-p.life.Done():
			return
		case <-p.news:
		}
		p.mu.Lock()
		ids := p.dirty
		p.dirty = map[sojourn.ID]struct{}{}
		var all []*follower
		for id := range ids {
			if w := p.watches[id]; w != nil {
				all = append(all, w.followers...)
			}
		}
		p.mu.Unlock()
		for batch := range slices.Chunk(all, fetchAtOnce) {
			p.fetchPatiently(batch)
		}
	}
}

func (p *Plane) fetchPatiently(batch []*follower) {
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		ctx, cancel := context.WithTimeout(p.life, callTimeout)
		err := p.fetch(ctx, batch)
		cancel()
		if err == nil || p.life.Err() != nil {
			return
		}
		p.opt.Logger.Warn("pgplane: events could not be read, they are tried again", slog.Any("error", err))
		select {
		case <-p.life.Done():
			return
		case <-time.After(wait):
		}
	}
}

// fetch gives each of these followers what it lacks.
func (p *Plane) fetch(ctx context.Context, batch []*follower) error {
	var numbers []int32
	var ids [][]byte
	var epochs []string
	var offsets []int64
	for i, f := range batch {
		if at, ok := f.position(); ok {
			numbers, ids = append(numbers, int32(i)), append(ids, []byte(f.id))
			epochs, offsets = append(epochs, at.Epoch), append(offsets, int64(at.Offset))
		}
	}
	if len(numbers) == 0 {
		return nil
	}
	rows, err := p.pool.Query(ctx, sqlFetch, numbers, ids, epochs, offsets)
	if err != nil {
		return err
	}
	defer rows.Close()
	found := make([]struct {
		log    live.Position
		events []live.Event
	}, len(batch))
	for rows.Next() {
		var number int32
		var epoch *string
		var top, offset *int64
		var raw []byte
		if err := rows.Scan(&number, &epoch, &top, &offset, &raw); err != nil {
			return err
		}
		f := &found[number]
		if epoch != nil && top != nil {
			f.log = live.Position{Epoch: *epoch, Offset: uint64(*top)}
		}
		if offset != nil {
			e, err := decode(uint64(*offset), raw)
			if err != nil {
				p.opt.Logger.Error("pgplane: an event is lost", slog.Any("error", err))
				continue // followers see the gap
			}
			f.events = append(f.events, e)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	rows.Close()
	for _, i := range numbers {
		if f := &found[i]; f.log.Epoch == "" {
			batch[i].again(ctx)
		} else {
			batch[i].give(f.log, f.events)
		}
	}
	return nil
}
