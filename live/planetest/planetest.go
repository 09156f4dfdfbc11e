// Package planetest checks that a [live.Backplane] keeps its contract. A test of
// an implementation runs it:
//
//	func TestBackplane(t *testing.T) {
//		planetest.Run(t, func(t *testing.T, keep live.Retention) []live.Backplane {
//			return []live.Backplane{open(t, keep), open(t, keep)} // two nodes, one server
//		})
//	}
//
// Each case quotes the rule it checks. The package is for tests only.
package planetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/live"
)

// Run checks the backplanes that open returns: at least one, and each another
// node's view of the same logs. They are fresh for every case.
func Run(t *testing.T, open func(t *testing.T, keep live.Retention) []live.Backplane) {
	for _, c := range []struct {
		name, rule string
		check      func(t *testing.T, nodes []live.Backplane)
	}{
		{"Open", "Open returns the newest position of a session's log, making one if there is none", checkOpen},
		{"Append", "Append adds an event to the logs of these sessions; one without a log is passed over", checkAppend},
		{"Read", "Read returns what came after a position, or that it cannot", checkRead},
		{"Watch", "from the returned position on each event is delivered, in order, until stop is called", checkWatch},
		{"End", "End adds the last event, drops the log, and Open and Watch return an *Ended", checkEnd},
		{"Tags", "Tagged returns the sessions whose logs have a tag; Present those that are watched", checkTags},
		{"Order", "a log numbers its events from 1 without a gap, whoever adds them", checkOrder},
	} {
		t.Run(c.name, func(t *testing.T) {
			nodes := open(t, live.Retention{Events: 100})
			for _, node := range nodes {
				if err := node.Start(healthy{}); err != nil {
					t.Fatal(err)
				}
			}
			if c.check(t, nodes); t.Failed() {
				t.Logf("the rule: %s", c.rule)
			}
		})
	}
}

type healthy struct{}

func (healthy) Lost()     {}
func (healthy) Restored() {}

const id = sojourn.ID("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")

// A follower collects what is delivered.
type follower struct {
	mu    sync.Mutex
	epoch string
	got   []live.Event
	moved int
}

func (f *follower) Deliver(epoch string, e live.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.epoch = epoch
	f.got = append(f.got, e)
}

func (f *follower) Moved(live.Position) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.moved++
}

func (f *follower) events() []live.Event {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.got)
}

// wait waits until n events were delivered, and no longer.
func (f *follower) wait(t *testing.T, n int) []live.Event {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); len(f.events()) < n; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d events delivered, want %d", len(f.events()), n)
		}
	}
	return f.events()
}

func event(n int) live.Event {
	return live.Event{Type: "app.n", Data: json.RawMessage(fmt.Sprint(n)), At: time.Now()}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func checkOpen(t *testing.T, nodes []live.Backplane) {
	first := must[live.Position](t)(nodes[0].Open(t.Context(), id, nil))
	if _, ok := live.ParsePosition(first.String()); !ok || first.Offset != 0 {
		t.Errorf("a new log begins at %q", first)
	}
	for i, node := range nodes {
		if again := must[live.Position](t)(node.Open(t.Context(), id, nil)); again != first {
			t.Errorf("node %d opens %q, not %q", i, again, first)
		}
		if !node.Known(id) {
			t.Errorf("node %d does not know it", i)
		}
	}
	if other := must[live.Position](t)(nodes[0].Open(t.Context(), id[:29]+"B", nil)); other.Epoch == first.Epoch {
		t.Error("two logs of one epoch")
	}
}

func checkAppend(t *testing.T, nodes []live.Backplane) {
	start := must[live.Position](t)(nodes[0].Open(t.Context(), id, nil))
	absent := id[:29] + "B"
	for n := range 3 {
		if err := nodes[n%len(nodes)].Append(t.Context(), []sojourn.ID{absent, id}, event(n)); err != nil {
			t.Fatal(err)
		}
	}
	page := must[live.Page](t)(nodes[len(nodes)-1].Read(t.Context(), id, start))
	if !page.Recovered || len(page.Events) != 3 || page.Position.Offset != 3 || page.Position.Epoch != start.Epoch {
		t.Fatalf("%+v", page)
	}
	for i, e := range page.Events {
		if e.Offset != uint64(i+1) || string(e.Data) != fmt.Sprint(i) || e.Type != "app.n" || e.At.IsZero() {
			t.Errorf("%d: %+v", i, e)
		}
	}
	if page := must[live.Page](t)(nodes[0].Read(t.Context(), absent, live.Position{Epoch: start.Epoch})); page.Recovered || page.Position.Epoch != "" {
		t.Errorf("an absent log was written: %+v", page)
	}
}

func checkRead(t *testing.T, nodes []live.Backplane) {
	start := must[live.Position](t)(nodes[0].Open(t.Context(), id, nil))
	for n := 1; n <= 150; n++ { // 100 are kept
		if err := nodes[0].Append(t.Context(), []sojourn.ID{id}, event(n)); err != nil {
			t.Fatal(err)
		}
	}
	for _, node := range nodes {
		for offset, want := range map[uint64]int{0: -1, 10: -1, 60: 90, 149: 1, 150: 0, 151: -1} {
			page := must[live.Page](t)(node.Read(t.Context(), id, live.Position{Epoch: start.Epoch, Offset: offset}))
			if page.Recovered != (want >= 0) || want >= 0 && len(page.Events) != want || want < 0 && len(page.Events) != 0 || page.Position.Offset != 150 {
				t.Errorf("after %d: recovered %v with %d events to %d", offset, page.Recovered, len(page.Events), page.Position.Offset)
			}
			for i, e := range page.Events {
				if e.Offset != offset+uint64(i)+1 || string(e.Data) != fmt.Sprint(e.Offset) {
					t.Errorf("after %d: %d holds %s", offset, e.Offset, e.Data)
				}
			}
		}
		if page := must[live.Page](t)(node.Read(t.Context(), id, live.Position{Epoch: "AAAAAAAA", Offset: 149})); page.Recovered || len(page.Events) > 0 {
			t.Error("another epoch was recovered")
		}
	}
}

func checkWatch(t *testing.T, nodes []live.Backplane) {
	if err := nodes[0].Append(t.Context(), []sojourn.ID{id}, event(0)); err != nil {
		t.Fatal(err)
	}
	followers := make([]follower, len(nodes)+1) // two on the last node
	stops := make([]func(), len(followers))
	for i := range followers {
		p, stop, err := nodes[min(i, len(nodes)-1)].Watch(t.Context(), id, nil, &followers[i])
		if err != nil || p.Offset != 0 {
			t.Fatal(p, err)
		}
		stops[i] = stop
	}
	for n := range 20 {
		if err := nodes[n%len(nodes)].Append(t.Context(), []sojourn.ID{id}, event(n)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range followers {
		for n, e := range followers[i].wait(t, 20) {
			if e.Offset != uint64(n+1) || string(e.Data) != fmt.Sprint(n) {
				t.Fatalf("follower %d: %d is %+v", i, n, e)
			}
		}
	}
	stops[0]()
	if err := nodes[0].Append(t.Context(), []sojourn.ID{id}, event(20)); err != nil {
		t.Fatal(err)
	}
	followers[1].wait(t, 21)
	if n := len(followers[0].events()); n != 20 {
		t.Errorf("%d events delivered, the last after stop", n)
	}
	for _, stop := range stops[1:] {
		stop()
	}
}

func checkEnd(t *testing.T, nodes []live.Backplane) {
	last := nodes[len(nodes)-1]
	var f follower
	start, stop, err := last.Watch(t.Context(), id, []string{"owner:ada"}, &f)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	for range 2 { // the second one finds nothing
		if err := nodes[0].End(t.Context(), id, live.Event{Type: "session.ended", At: time.Now()}, sojourn.ReasonLogout, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	if e := f.wait(t, 1)[0]; e.Type != "session.ended" || e.Offset != 1 {
		t.Errorf("%+v", e)
	}
	for i, node := range nodes {
		var ended *live.Ended
		if _, err := node.Open(t.Context(), id, nil); !errors.As(err, &ended) || ended.Reason != sojourn.ReasonLogout || !errors.Is(err, sojourn.ErrNotFound) {
			t.Errorf("node %d opens the log of an ended session: %v", i, err)
		}
		if _, _, err := node.Watch(t.Context(), id, nil, &f); !errors.As(err, &ended) {
			t.Errorf("node %d watches an ended session: %v", i, err)
		}
		if page, err := node.Read(t.Context(), id, start); err != nil || page.Recovered || len(page.Events) > 0 {
			t.Errorf("node %d reads %+v, %v", i, page, err)
		}
		if ids, err := node.Tagged(t.Context(), "owner:ada"); err != nil || len(ids) > 0 {
			t.Errorf("node %d still lists it: %v %v", i, ids, err)
		}
	}
}

func checkTags(t *testing.T, nodes []live.Backplane) {
	last := nodes[len(nodes)-1]
	var want []sojourn.ID
	for n := range 12 {
		want = append(want, id[:28]+sojourn.ID(fmt.Sprintf("%02d", n)))
		if _, err := nodes[0].Open(t.Context(), want[n], []string{"owner:ada", "topic:a b"}); err != nil {
			t.Fatal(err)
		}
	}
	var f follower
	_, stop, err := nodes[0].Watch(t.Context(), want[3], []string{"owner:ada"}, &f)
	if err != nil {
		t.Fatal(err)
	}
	sorted := func(ids []sojourn.ID, err error) []sojourn.ID {
		t.Helper()
		slices.Sort(ids)
		return must[[]sojourn.ID](t)(ids, err)
	}
	for _, tag := range []string{"owner:ada", "topic:a b"} {
		if got := sorted(last.Tagged(t.Context(), tag)); !slices.Equal(got, want) {
			t.Errorf("%s: %v", tag, got)
		}
	}
	if got := sorted(last.Present(t.Context(), "owner:ada")); !slices.Equal(got, want[3:4]) {
		t.Errorf("present: %v", got)
	}
	stop()
	for end := time.Now().Add(10 * time.Second); len(sorted(last.Present(t.Context(), "owner:ada"))) > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Error("present long after stop")
			break
		}
	}
	if got := sorted(last.Tagged(t.Context(), "owner:bob")); len(got) != 0 {
		t.Errorf("of nobody: %v", got)
	}
}

func checkOrder(t *testing.T, nodes []live.Backplane) {
	const writers, each = 8, 12 // fewer than are kept: whoever reads late misses none
	followers := make([]follower, len(nodes))
	for i, node := range nodes {
		_, stop, err := node.Watch(t.Context(), id, nil, &followers[i])
		if err != nil {
			t.Fatal(err)
		}
		defer stop()
	}
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for n := range each {
				if err := nodes[w%len(nodes)].Append(context.Background(), []sojourn.ID{id}, event(w*1000+n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	first := followers[0].wait(t, writers*each)
	next := map[int]int{}
	for i, e := range first {
		var n int
		_ = json.Unmarshal(e.Data, &n)
		if e.Offset != uint64(i+1) || n%1000 != next[n/1000] {
			t.Fatalf("%d: %d of writer %d, offset %d", i, n%1000, n/1000, e.Offset)
		}
		next[n/1000]++
	}
	for i := range followers[1:] {
		for n, e := range followers[i+1].wait(t, writers*each) {
			if string(e.Data) != string(first[n].Data) {
				t.Fatalf("nodes 0 and %d disagree on event %d", i+1, n)
			}
		}
	}
}

// A doctor hears how a backplane is.
type doctor struct{ lost, restored chan struct{} }

func (d doctor) Lost()     { d.lost <- struct{}{} }
func (d doctor) Restored() { d.restored <- struct{}{} }

// Interruption checks that a backplane notices when nothing reaches it any more,
// and that its followers miss nothing: near is reached through what fault breaks
// and mend repairs, far is not. Both are fresh, with a Retention of 100 events.
func Interruption(t *testing.T, near, far live.Backplane, within time.Duration, fault, mend func()) {
	t.Helper()
	d := doctor{make(chan struct{}, 100), make(chan struct{}, 100)}
	for node, health := range map[live.Backplane]live.Health{near: d, far: healthy{}} {
		if err := node.Start(health); err != nil {
			t.Fatal(err)
		}
	}
	var f follower
	_, stop, err := near.Watch(t.Context(), id, []string{"owner:ada"}, &f)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	n := 0
	add := func(times int) {
		t.Helper()
		for range times {
			if err := far.Append(t.Context(), []sojourn.ID{id}, event(n)); err != nil {
				t.Fatal(err)
			}
			n++
		}
	}
	add(3)
	f.wait(t, 3)
	began := time.Now()
	fault()
	await(t, "lost", d.lost)
	took := time.Since(began).Round(time.Millisecond)
	if t.Logf("noticed after %v", took); took > within {
		t.Errorf("noticed after %v, at most %v", took, within)
	}
	add(20)
	began = time.Now()
	mend()
	await(t, "restored", d.restored)
	t.Logf("restored after %v", time.Since(began).Round(time.Millisecond))
	add(3)
	for i, e := range f.wait(t, n) {
		if e.Offset != uint64(i+1) || string(e.Data) != fmt.Sprint(i) {
			t.Fatalf("%d: %s with offset %d", i, e.Data, e.Offset)
		}
	}
	if f.moved > 0 || len(f.events()) != n {
		t.Errorf("%d events of %d, moved %d times", len(f.events()), n, f.moved)
	}
	for _, node := range []live.Backplane{near, far} {
		if ids, err := node.Present(t.Context(), "owner:ada"); err != nil || len(ids) != 1 {
			t.Errorf("present afterwards: %v %v", ids, err)
		}
	}
}

func await(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(30 * time.Second):
		t.Fatalf("the hub was not told that events are %s", what)
	}
}

// Forgotten checks that followers are told when a log is gone, and given what is
// added to its successor: forget makes the servers forget everything.
func Forgotten(t *testing.T, near, far live.Backplane, forget func()) {
	t.Helper()
	for _, node := range []live.Backplane{near, far} {
		if err := node.Start(healthy{}); err != nil {
			t.Fatal(err)
		}
	}
	var f follower
	before, stop, err := near.Watch(t.Context(), id, []string{"owner:ada"}, &f)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	for n := range 3 {
		if err := far.Append(t.Context(), []sojourn.ID{id}, event(n)); err != nil {
			t.Fatal(err)
		}
	}
	f.wait(t, 3)
	forget()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		ids, err := far.Tagged(t.Context(), "owner:ada")
		f.mu.Lock()
		moved := f.moved
		f.mu.Unlock()
		if err == nil && len(ids) == 1 && moved > 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("moved %d times; sessions of the owner: %v, %v", moved, ids, err)
		}
	}
	if err := far.Append(t.Context(), []sojourn.ID{id}, event(3)); err != nil {
		t.Fatal(err)
	}
	if e := f.wait(t, 4)[3]; string(e.Data) != "3" || f.epoch == before.Epoch {
		t.Errorf("%s in epoch %s, before it was %s", e.Data, f.epoch, before.Epoch)
	}
	if page, err := far.Read(t.Context(), id, live.Position{Epoch: before.Epoch, Offset: 2}); err != nil || page.Recovered {
		t.Errorf("a position in the log that is gone: %+v, %v", page, err)
	}
}
