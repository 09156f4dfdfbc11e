package redisstore

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/sojournhq/sojourn/internal/redisurl"
)

const (
	surveyEvery   = 2 * time.Second
	surveyTimeout = 3 * time.Second
	replayTimeout = time.Minute
	replayers     = 8
	// surveySoon is when the servers are looked at after a new connection, and
	// then after twice that, and so on: the library may need a moment to follow.
	surveySoon = 20 * time.Millisecond
	// replays is how often everything is replayed to a new primary: the answer of
	// the former one to a revocation may come in after the first time.
	replays = 3
)

// follow looks which primaries there are. One that was not there before may have
// come up without what was ended lately: it is told again.
//
//	every 2 s, and soon after each new connection
//	   survey ──▶ a primary we did not know? ──▶ replay the journal ──▶ now we know it
//	          └─▶ answers that were lost?    ──▶ replay those
func (s *Store) follow(ctx context.Context) {
	wait := surveyEvery
	owed := 0 // replays of everything
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		dialled := false
		select {
		case <-ctx.Done():
			return
		case <-s.dialer.news:
			wait, dialled = surveySoon, true
		case <-timer.C:
			wait = min(2*wait, surveyEvery)
			owed = s.look(ctx, owed)
		}
		if dialled && s.primaries == nil {
			owed = replays // blind: any connection may be to a new primary
		}
		timer.Reset(wait)
	}
}

// look returns how many replays of everything are owed still.
func (s *Store) look(ctx context.Context, owed int) int {
	before := s.primaries
	asking, cancel := context.WithTimeout(ctx, surveyTimeout)
	fresh, err := s.survey(asking)
	cancel()
	if err != nil {
		return owed
	}
	if fresh {
		owed = replays
	}
	again := s.journal.entries(owed > 0)
	if len(again) == 0 {
		return max(0, owed-1)
	}
	restored, err := s.replay(ctx, again)
	log := s.opt.Logger.With(slog.Int("revocations", len(again)), slog.Int("restored", restored))
	switch {
	case err != nil:
		log.WarnContext(ctx, "redis: replaying revocations failed and will be tried again", "error", err)
		s.primaries = before
		return owed
	case fresh || owed > 0 && restored > 0:
		log.InfoContext(ctx, "redis: a primary is new or has restarted, recent revocations were replayed")
	}
	return max(0, owed-1)
}

// survey notes which primaries there are, by the identity each run of a server
// has, and whether all have replicas. It reports whether one is new.
func (s *Store) survey(ctx context.Context) (fresh bool, err error) {
	seen, serving, replicated := map[string]bool{}, map[string]string{}, true
	for addr, node := range s.client.Nodes() {
		info, err := serverInfo(ctx, node, "server", "replication")
		switch {
		case isNoPermission(err):
			s.replicated.Store(false)
			s.serving.Store(nil)
			return false, nil
		case err != nil && s.topology == redisurl.Cluster:
			continue // it may be about to be replaced
		case err != nil:
			return false, err
		case info["role"] != "master":
			continue
		}
		id := info["run_id"]
		fresh = fresh || !s.primaries[id]
		seen[id], serving[addr] = true, id
		replicated = replicated && replicas(info) > 0
	}
	if len(seen) == 0 {
		s.replicated.Store(false)
		return false, nil
	}
	s.replicated.Store(replicated)
	s.serving.Store(&serving)
	s.primaries = seen
	return fresh, nil
}

// replay ends again what the journal says. It is harmless where that has ended.
func (s *Store) replay(ctx context.Context, all []*ending) (restored int, err error) {
	ctx, cancel := context.WithTimeout(ctx, replayTimeout)
	defer cancel()
	var next, back atomic.Int64
	errs := make(chan error, replayers)
	for range replayers {
		go func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(all) {
					errs <- nil
					return
				}
				revived, err := s.again(ctx, all[i])
				if err != nil {
					next.Add(int64(len(all))) // the others need not begin the rest
					errs <- err
					return
				}
				if revived {
					back.Add(1)
				}
			}
		}()
	}
	for range replayers {
		if e := <-errs; e != nil {
			err = e
		}
	}
	return int(back.Load()), err
}

// again reports whether what had ended was live.
func (s *Store) again(ctx context.Context, e *ending) (revived bool, err error) {
	if e.owner != "" {
		_, err := s.raise(ctx, e.owner, e.generation)
		return false, err
	}
	was, err := s.revoke(ctx, e.tombstone)
	if err == nil {
		s.journal.settle(e, was != absent)
	}
	return was == live, err
}
