package redisstore

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/sojournhq/sojourn"
)

// journalSize bounds the journal; an entry takes some 400 bytes.
const journalSize = 1 << 14

// A journal remembers what this process has ended. A primary that came up
// without it, as asynchronous replication permits, is told again; until then the
// journal answers for it, so that no request of this process sees the session.
type journal struct {
	keep time.Duration // 0: nothing is remembered

	size   atomic.Int64 // of both maps: most lookups need no lock
	mu     sync.RWMutex
	ended  map[sojourn.ID]*ending
	raised map[string]*ending // by owner
	queue  []*ending          // by time; some are no longer in the maps
}

// An ending is of one session, or of an owner's sessions up to a generation.
type ending struct {
	at         time.Time
	tombstone  sojourn.Record // of one session
	owner      string         // of many, else ""
	generation uint64
	// unsure: the server's answer was lost, so it will be asked again.
	unsure bool
}

func newJournal(keep time.Duration) *journal {
	return &journal{keep: keep, ended: map[sojourn.ID]*ending{}, raised: map[string]*ending{}}
}

// end remembers a session's end. The first one stays, unless nobody knows
// whether the server has it.
func (j *journal) end(tombstone sojourn.Record, sure bool) {
	if j.keep == 0 {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if old := j.ended[tombstone.ID]; old != nil && (!old.unsure || !sure) {
		return
	}
	e := &ending{at: time.Now(), tombstone: tombstone, unsure: !sure}
	j.ended[tombstone.ID] = e
	j.push(e)
}

func (j *journal) raise(owner string, generation uint64) {
	if j.keep == 0 {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if old := j.raised[owner]; old != nil && old.generation >= generation {
		return
	}
	e := &ending{at: time.Now(), owner: owner, generation: generation}
	j.raised[owner] = e
	j.push(e)
}

// push adds e and drops what is too old or too much. The caller holds the lock.
func (j *journal) push(e *ending) {
	j.queue = append(j.queue, e)
	j.prune(e.at)
	j.size.Store(int64(len(j.ended) + len(j.raised)))
}

func (j *journal) prune(now time.Time) {
	n := 0
	for n < len(j.queue) && (len(j.queue)-n > journalSize || now.Sub(j.queue[n].at) > j.keep) {
		j.drop(j.queue[n])
		j.queue[n] = nil
		n++
	}
	j.queue = j.queue[n:]
	j.size.Store(int64(len(j.ended) + len(j.raised)))
}

func (j *journal) drop(e *ending) {
	if e.owner != "" {
		if j.raised[e.owner] == e {
			delete(j.raised, e.owner)
		}
	} else if j.ended[e.tombstone.ID] == e {
		delete(j.ended, e.tombstone.ID)
	}
}

// tombstone is that of a session which this process has ended.
func (j *journal) tombstone(id sojourn.ID) (sojourn.Record, bool) {
	if j.size.Load() == 0 {
		return sojourn.Record{}, false
	}
	j.mu.RLock()
	defer j.mu.RUnlock()
	if e := j.ended[id]; e != nil {
		return e.tombstone, true
	}
	return sojourn.Record{}, false
}

// generation is the least that the owner's is, as far as this process knows.
func (j *journal) generation(owner string) uint64 {
	if j.size.Load() == 0 {
		return 0
	}
	j.mu.RLock()
	defer j.mu.RUnlock()
	if e := j.raised[owner]; e != nil {
		return e.generation
	}
	return 0
}

// entries are those to tell the server again: all, or the unsure ones.
func (j *journal) entries(all bool) []*ending {
	if j.size.Load() == 0 {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.prune(time.Now())
	var some []*ending
	for _, e := range j.queue {
		current := j.raised[e.owner] == e || j.ended[e.tombstone.ID] == e
		if current && (all || e.unsure) {
			some = append(some, e)
		}
	}
	return some
}

// settle notes that the server has answered about e. A session that does not
// exist has nothing to end.
func (j *journal) settle(e *ending, exists bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if e.unsure && !exists {
		j.drop(e)
	}
	e.unsure = false
	j.size.Store(int64(len(j.ended) + len(j.raised)))
}
