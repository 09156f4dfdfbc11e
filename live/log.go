package live

import (
	"cmp"
	"time"
)

// Retention bounds the log of one session: whatever limit is met first. A zero
// field means its default.
type Retention struct {
	Events int           // default 256
	Bytes  int           // default 256 KiB
	For    time.Duration // default 5 min
}

// OrDefault is r with its defaults filled in.
func (r Retention) OrDefault() Retention {
	return Retention{cmp.Or(r.Events, 256), cmp.Or(r.Bytes, 256<<10), cmp.Or(r.For, 5*time.Minute)}
}

// An eventLog holds the newest events of a session, without a gap. The
// backplane in this process keeps one per session; so does each node, as the
// common queue of all its connections of that session.
type eventLog struct {
	epoch  string
	top    uint64  // offset of the newest event there ever was
	events []Event // up to top
	bytes  int
}

// floor is the oldest position from which nothing is missing.
func (l *eventLog) floor() uint64 { return l.top - uint64(len(l.events)) }

// add appends e as the next event and drops what no longer fits.
func (l *eventLog) add(e Event, keep *Retention) {
	l.top++
	e.Offset = l.top
	l.events = append(l.events, e)
	l.bytes += e.weight()
	l.trim(e.At, keep)
}

func (l *eventLog) trim(now time.Time, keep *Retention) {
	n, oldest := 0, now.Add(-keep.For)
	for n < len(l.events) && (len(l.events)-n > keep.Events || l.bytes > keep.Bytes || l.events[n].At.Before(oldest)) {
		l.bytes -= l.events[n].weight()
		l.events[n] = Event{} // the array lives on
		n++
	}
	if l.events = l.events[n:]; len(l.events) == 0 {
		l.events = nil
	}
}

// after returns the events beyond a position; false if some of them are gone, or
// if there never was such a position. The caller must not change them.
func (l *eventLog) after(p Position) ([]Event, bool) {
	if p.Epoch != l.epoch || p.Offset < l.floor() || p.Offset > l.top {
		return nil, false
	}
	return l.events[p.Offset-l.floor():], true
}

func (l *eventLog) position() Position { return Position{l.epoch, l.top} }
