package formattest

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/format"
)

// ram is a keeper that keeps the rules, unless broken says otherwise.
type ram struct {
	mu     sync.Mutex
	data   map[string]kept
	broken string
}

type kept struct {
	record  []byte
	expires time.Time
}

func newRAM(broken string) *ram { return &ram{data: map[string]kept{}, broken: broken} }

func (r *ram) Read(ctx context.Context, key string) ([]byte, time.Time, error) {
	if ctx.Err() != nil && r.broken != "ignores its context" {
		return nil, time.Time{}, ctx.Err()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	k, ok := r.data[key]
	if !ok {
		if r.broken == "nothing is empty" {
			return []byte{}, time.Time{}, nil
		}
		return nil, time.Time{}, sojourn.ErrNotFound
	}
	return k.record, k.expires, nil
}

func (r *ram) Swap(ctx context.Context, key string, old, record []byte, expires time.Time) error {
	if ctx.Err() != nil && r.broken != "ignores its context" {
		return ctx.Err()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	k, ok := r.data[key]
	if r.broken == "compares before the lock" {
		r.mu.Unlock()
		runtime.Gosched()
		time.Sleep(time.Millisecond)
		r.mu.Lock()
	}
	switch {
	case !ok && old != nil && r.broken != "creates":
		return sojourn.ErrNotFound
	case ok && old == nil && r.broken != "overwrites":
		return sojourn.ErrConflict
	case ok && old != nil && !bytes.Equal(k.record, old) && r.broken != "does not compare":
		return sojourn.ErrConflict
	}
	if record == nil && r.broken != "keeps what is removed" {
		delete(r.data, key)
		return nil
	}
	if expires.IsZero() && r.broken != "forgets the deadline" {
		expires = k.expires
	}
	if r.broken == "leaves the tail" && len(k.record) > len(record) {
		record = append(bytes.Clone(record), k.record[len(record):]...)
	}
	r.data[key] = kept{record, expires}
	return nil
}

func (r *ram) Touch(_ context.Context, key string, expires time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	k, ok := r.data[key]
	if ok || r.broken == "touch creates" {
		if k.expires = expires; r.broken == "does not touch" {
			return nil
		}
		r.data[key] = k
	}
	return nil
}

func (r *ram) Delete(_ context.Context, key string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.data[key]; !ok && r.broken == "delete asks" {
		return sojourn.ErrNotFound
	}
	delete(r.data, key)
	return nil
}

var _ format.Keeper = (*ram)(nil)

func TestKeeperSuitePasses(t *testing.T) { RunKeeper(t, newRAM(""), nil) }

func TestKeeperSuiteFindsBrokenOnes(t *testing.T) {
	for _, broken := range []string{"ignores its context", "nothing is empty", "compares before the lock", "creates", "overwrites",
		"does not compare", "keeps what is removed", "forgets the deadline", "leaves the tail", "touch creates", "does not touch", "delete asks"} {
		failed := false
		for _, r := range keeperRules {
			failed = failures(t, func(f TB) { r.check(f, newKeeping(newRAM(broken), nil)) }) > 0 || failed
		}
		if !failed {
			t.Errorf("a keeper that %q passes", broken)
		}
	}
}

// failures counts what a case would report.
func failures(t *testing.T, f func(TB)) int {
	note := &notes{ctx: t.Context()}
	done := make(chan bool)
	go func() {
		defer close(done)
		f(note)
	}()
	<-done
	return len(note.said)
}

type notes struct {
	ctx  context.Context
	mu   sync.Mutex
	said []string
}

func (n *notes) Helper()                  {}
func (n *notes) Context() context.Context { return n.ctx }
func (n *notes) Errorf(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.said = append(n.said, fmt.Sprintf(format, args...))
}
func (n *notes) Fatalf(format string, args ...any) {
	n.Errorf(format, args...)
	runtime.Goexit()
}
