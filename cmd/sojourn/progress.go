package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// A progress is a line that says how far something has come, on a terminal.
// Elsewhere it says nothing.
type progress struct {
	w io.Writer // nil: silent

	mu     sync.Mutex
	title  string
	total  int // 0: not known
	done   int
	begun  time.Time
	shown  time.Time
	onLine bool
}

func newProgress(w io.Writer, silent bool) *progress {
	f, ok := w.(*os.File)
	if silent || !ok {
		return &progress{}
	}
	if info, err := f.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 || os.Getenv("TERM") == "dumb" {
		return &progress{}
	}
	return &progress{w: w}
}

// begin begins a new count.
func (p *progress) begin(title string, total int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.title, p.total, p.done, p.begun, p.shown = title, total, 0, time.Now(), time.Time{}
}

// step counts one.
func (p *progress) step() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	now := time.Now()
	if p.w == nil || now.Sub(p.shown) < 100*time.Millisecond {
		return
	}
	p.shown, p.onLine = now, true
	fmt.Fprintf(p.w, "\r%s\x1b[K", p.line(now.Sub(p.begun)))
}

// clear takes the line away.
func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.onLine {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.onLine = false
	}
}

const barWidth = 16

// line is 79 characters at most, so that it never wraps on a usual terminal.
func (p *progress) line(taken time.Duration) string {
	rate := 0.0
	if taken > 0 {
		rate = float64(p.done) / taken.Seconds()
	}
	if p.total <= 0 {
		return fmt.Sprintf("%s  %d, %.0f/s", p.title, p.done, rate)
	}
	done := min(p.done, p.total)
	part := float64(done) / float64(p.total)
	filled := int(part * barWidth)
	text := fmt.Sprintf("%s  [%s%s] %3.0f %%  %d of %d, %.0f/s", p.title,
		strings.Repeat("#", filled), strings.Repeat(".", barWidth-filled), part*100, done, p.total, rate)
	if rate > 0 && done < p.total {
		left := time.Duration(float64(p.total-done) / rate * float64(time.Second))
		text += ", " + about(left) + " left"
	}
	if len(text) > 79 {
		text = text[:79]
	}
	return text
}
