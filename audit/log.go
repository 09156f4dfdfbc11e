package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/sojournhq/sojourn"
)

// A Log writes records to an io.Writer, one JSON object per line, in the order of
// their numbers. It is made by [Open] and safe for parallel use.
type Log struct {
	opt   *Options
	w     io.Writer
	queue *queue
	ended chan struct{}

	// Of the writing goroutine.
	torn bool // the last write ended inside a line
	down bool // it failed
}

var _ sojourn.Observer = (*Log)(nil)

// Open starts a log that writes to w, whole lines at a time and from one goroutine.
// nil options stand for the defaults. Close it before w.
func Open(w io.Writer, opt *Options) (*Log, error) {
	o, err := opt.settle()
	if err == nil && w == nil {
		err = fmt.Errorf("%w: the writer is nil", sojourn.ErrInvalid)
	}
	if err != nil {
		return nil, fmt.Errorf("audit: open: %w", err)
	}
	l := &Log{opt: o, w: w, queue: newQueue(o.Queue), ended: make(chan struct{})}
	go l.run()
	return l, nil
}

// Observe implements [sojourn.Observer]. It never waits.
func (l *Log) Observe(ctx context.Context, e sojourn.Event) {
	if l.opt.wants(e.Kind) {
		l.queue.put(l.opt.record(ctx, e))
	}
}

// Stats returns the counts so far.
func (l *Log) Stats() Stats { return l.queue.stats() }

// Close writes what is in the queue and ends the log. Events that come later are
// counted as dropped and written nowhere. It fails if records were lost on the way
// out: because the writer failed, or did not finish within Options.CloseTimeout.
func (l *Log) Close() error {
	l.queue.close()
	late := time.NewTimer(l.opt.CloseTimeout)
	defer late.Stop()
	select {
	case <-l.ended:
		if n := l.queue.untold.Load(); n > 0 {
			return fmt.Errorf("audit: close: %d records were lost and the log does not say so", n)
		}
		return nil
	case <-late.C:
		return fmt.Errorf("audit: close: the writer did not finish within %v; %d records wait", l.opt.CloseTimeout, len(l.queue.ch))
	}
}

const batch = 256 // records in one write

func (l *Log) run() {
	defer close(l.ended)
	for r := range l.queue.ch {
		lines := []Record{r}
		for len(lines) < batch && len(l.queue.ch) > 0 {
			if r, ok := <-l.queue.ch; ok {
				lines = append(lines, r)
			}
		}
		l.write(lines)
		if len(l.queue.ch) == 0 && !l.down {
			l.write(nil) // a record may have found the queue full while this batch left it
		}
	}
	l.write(nil)
}

// write writes the lines behind a report of what was lost, if anything was.
func (l *Log) write(lines []Record) {
	var b bytes.Buffer
	if l.torn {
		b.WriteByte('\n')
	}
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	report, lost := l.queue.report(l.opt)
	if lost {
		enc.Encode(report) // of texts and numbers: it cannot fail
	}
	for i := range lines {
		enc.Encode(&lines[i])
	}
	if !lost && len(lines) == 0 {
		return
	}
	n, err := l.w.Write(b.Bytes())
	if err == nil && n == b.Len() {
		l.queue.done.Add(uint64(len(lines)))
		if l.torn = false; l.down {
			l.down = false
			l.opt.Logger.Warn("the audit log can be written again", "dropped", l.queue.dropped.Load())
		}
		return
	}
	if n > 0 {
		l.torn = b.Bytes()[min(n, b.Len())-1] != '\n'
	}
	l.queue.untold.Add(report.Count)
	l.queue.lose(uint64(len(lines)))
	if !l.down {
		l.down = true
		l.opt.Logger.Error("the audit log cannot be written", "error", err, "lost", len(lines))
	}
}
