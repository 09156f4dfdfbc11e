package redisstore

import (
	"slices"
	"sync"
	"time"

	"github.com/sojournhq/sojourn"
)

// Redis has no order of keys. A walk therefore goes over all of them, keeps the
// IDs that come next, as many as fit into a window, and serves calls from these;
// then it goes over all keys again for the window behind.
const (
	// walkWindow IDs take 12 MB, and twice that while they are gathered.
	walkWindow = 1 << 18
	// walkers is how many walks are remembered, and walkAge how long after their
	// last call.
	walkers = 2
	walkAge = 10 * time.Minute
)

// A walk is between two calls of Scan.
type walk struct {
	after sojourn.ID   // the last one that was returned
	ids   []sojourn.ID // those that follow, ascending
	whole bool         // there are no others behind them
	at    time.Time
}

// walks remembers them by where they are. A walk that is forgotten begins
// another window, which costs time and nothing else.
type walks struct {
	window int // of IDs

	mu  sync.Mutex
	all []walk
}

// resume takes out the walk that has come to after, or begins one.
func (w *walks) resume(after sojourn.ID, now time.Time) walk {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = slices.DeleteFunc(w.all, func(one walk) bool { return now.Sub(one.at) > walkAge })
	for i, one := range w.all {
		if one.after == after {
			w.all = slices.Delete(w.all, i, i+1)
			return one
		}
	}
	return walk{after: after}
}

// pause remembers a walk that may go on.
func (w *walks) pause(one walk, now time.Time) {
	if one.after == "" || len(one.ids) == 0 && !one.whole {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	one.at = now
	w.all = slices.DeleteFunc(w.all, func(old walk) bool { return old.after == one.after }) // it knows less
	if len(w.all) == walkers {
		w.all = slices.Delete(w.all, 0, 1)
	}
	w.all = append(w.all, one)
}

// A window collects the lowest IDs above after, in bounded memory, whatever their
// order and however often they come.
type window struct {
	after sojourn.ID
	size  int
	ids   []sojourn.ID
	last  sojourn.ID // if some were left out, the highest that may be in
}

func (w *window) add(id sojourn.ID) {
	if id <= w.after || w.last != "" && id >= w.last {
		return
	}
	w.ids = append(w.ids, id)
	if len(w.ids) >= 2*w.size {
		w.shrink()
	}
}

func (w *window) shrink() {
	slices.Sort(w.ids)
	w.ids = slices.Compact(w.ids)
	if len(w.ids) > w.size {
		clear(w.ids[w.size:])
		w.ids = w.ids[:w.size]
		w.last = w.ids[w.size-1]
	}
}

// done returns them, and whether there were no others.
func (w *window) done() (ids []sojourn.ID, whole bool) {
	w.shrink()
	return slices.Clone(w.ids), w.last == ""
}
