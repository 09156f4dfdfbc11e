package memstore

import (
	"context"
	"fmt"
	"time"

	"github.com/sojournhq/sojourn"
)

// Sweep removes records whose deadline, in milliseconds, is before the given
// time. It visits only those whose deadline was near when it last saw them, and
// holds the lock of a shard for 128 of them at a time. Sweeps take turns. If ctx
// ends, it returns what it has removed together with the error.
func (s *Store) Sweep(ctx context.Context, before time.Time, limit int) ([]sojourn.Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("memstore: sweep: %w", err)
	}
	if limit <= 0 {
		return nil, nil
	}
	select {
	case s.sweeping <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("memstore: sweep: %w", ctx.Err())
	}
	defer func() { <-s.sweeping }()

	var removed []sojourn.Record
	batch := make([]sojourn.Record, 0, min(limit, sweepBatch)) // never grows under the lock
	for range shardCount {
		sh := &s.shards[s.turn%shardCount]
		p := pass{before: before.UnixMilli()}
		for !p.done {
			if err := ctx.Err(); err != nil {
				sh.endSweep()
				return removed, fmt.Errorf("memstore: sweep: %w", err)
			}
			batch = s.sweepShard(sh, &p, batch[:0], limit-len(removed))
			removed = append(removed, batch...)
			if len(removed) == limit {
				sh.endSweep()
				return removed, nil // begin with this shard next time
			}
		}
		s.turn++
	}
	return removed, nil
}

// sweepShard removes a batch, at most limit.
func (s *Store) sweepShard(sh *shard, p *pass, batch []sojourn.Record, limit int) []sojourn.Record {
	p.visits = sweepBatch
	sh.mu.Lock()
	if s.held != nil {
		s.held(true, 0)
	}
	for len(batch) < limit {
		i := sh.due(p)
		if i == 0 {
			break
		}
		batch = batch[:len(batch)+1]
		r := &batch[len(batch)-1]
		*r = sojourn.Record{}
		sh.node(i).fill(r)
		sh.remove(i)
	}
	sh.swept = !p.done
	if s.held != nil {
		s.held(false, sweepBatch-p.visits)
	}
	sh.mu.Unlock()
	s.count.Add(-int64(len(batch)))
	return batch
}

// endSweep ends a pass before it is done.
func (sh *shard) endSweep() {
	sh.mu.Lock()
	sh.swept = false
	sh.mu.Unlock()
}

// tidy removes a few records that are long past their deadline, so that memory
// does not fill with them where nobody sweeps. It returns how many.
func (sh *shard) tidy(now int64) (removed int64) {
	before := now - tidyAfter
	if sh.swept || sh.wheel.pos >= before>>tickShift {
		return 0 // a Sweep is here, or was
	}
	p := pass{before: before, visits: tidyBatch}
	for i := sh.due(&p); i != 0; i = sh.due(&p) {
		sh.remove(i)
		removed++
	}
	return removed
}

// now returns the time in milliseconds, and whether it can be compared with
// deadlines, given that of a record just made.
func (s *Store) now(expires int64) (now int64, trusted bool) {
	now = s.clock().UnixMilli()
	if s.given {
		return now, true
	}
	if expires <= now && !s.foreign.Load() {
		s.foreign.Store(true)
	}
	return now, !s.foreign.Load()
}
