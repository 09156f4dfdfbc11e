package memstore

import (
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

// Create removes what is long past its deadline, a few at a time, so that memory
// stays bounded without any Sweep.
func TestCreateTidies(t *testing.T) {
	now := epoch
	s := New(&Options{Clock: func() time.Time { return now }})
	most := 0
	for n := range 60_000 {
		create(t, s, n, "", now.Add(time.Minute))
		now = now.Add(100 * time.Millisecond)
		most = max(most, s.Stats().Records)
	}
	// 11 minutes of records, and what waits for the next tick and the next
	// Create of its shard (every 26 s).
	if bound := (11*60 + 60) * 10; most > bound {
		t.Errorf("up to %d records held, want at most %d", most, bound)
	}
	checkTotals(t, s)
}

// Whoever sweeps gets every record, though Create tidies.
func TestTidyLeavesTheFreshToSweep(t *testing.T) {
	now := epoch
	s := New(&Options{Clock: func() time.Time { return now }})
	created, swept := 0, 0
	for range 100 {
		for range 100 {
			create(t, s, created, "", now.Add(time.Minute))
			created++
			now = now.Add(300 * time.Millisecond)
		}
		got, err := s.Sweep(t.Context(), now, 1000)
		if err != nil {
			t.Fatal(err)
		}
		swept += len(got)
	}
	if left := s.Stats().Records; swept+left != created {
		t.Errorf("created %d, swept %d, left %d", created, swept, left)
	}
}

// A core with a clock of its own loses nothing to a store that was not told.
func TestCoreWithAnotherClock(t *testing.T) {
	s := New(nil)
	past := time.UnixMilli(1_000_000_000_000)
	for n := range 5000 {
		create(t, s, n, "", past.Add(time.Duration(n)*time.Second))
	}
	if got := s.Stats().Records; got != 5000 {
		t.Errorf("%d of 5000 records left", got)
	}
}

// While a Sweep is between two batches, Create leaves its shard alone.
func TestTidyKeepsOutOfASweep(t *testing.T) {
	now := epoch
	s := New(&Options{Clock: func() time.Time { return now }})
	sh := &s.shards[7]
	n := 0
	add := func() {
		for n++; ; n++ {
			if at, _ := s.locate(testID(n)); at == sh {
				create(t, s, n, "", now.Add(time.Minute))
				return
			}
		}
	}
	for range 100 {
		add()
	}
	now = now.Add(time.Hour)
	p := pass{before: now.UnixMilli()}
	s.sweepShard(sh, &p, make([]sojourn.Record, 0, 10), 10)
	if add(); sh.live != 91 {
		t.Errorf("%d records after a batch of 10 of 100 and a Create, want 91", sh.live)
	}
	sh.endSweep()
	if add(); sh.live != 92-tidyBatch {
		t.Errorf("%d records once the sweep has ended, want %d", sh.live, 92-tidyBatch)
	}
}

// A sweep holds a lock for a bounded number of visits, and for less than a
// millisecond of work, whatever share of a million sessions has expired. By the
// clock on the wall, one hold in a hundred may be longer: the system and the
// collector stop goroutines that have a lock as well as others.
func TestSweepHoldsNoLockLong(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("measures a million sessions; run without -short and -race")
	}
	const sessions = 1_000_000
	payload := make([]byte, 300)
	for _, share := range []int{0, 50, 100} {
		s := New(&Options{Clock: fixed(epoch)})
		for n := range sessions {
			r := sojourn.Record{ID: testID(n), Expires: epoch.Add(time.Duration(n%1800) * time.Second), Payload: payload}
			if n%100 < share {
				r.Expires = epoch.Add(-time.Second) // all in one slot: the worst case
			}
			if err := s.Create(t.Context(), &r); err != nil {
				t.Fatal(err)
			}
		}
		var m holdMeter
		s.held = m.held
		removed := 0
		runtime.LockOSThread()
		start := time.Now()
		for {
			got, err := s.Sweep(t.Context(), epoch, 10_000)
			if err != nil {
				t.Fatal(err)
			}
			removed += len(got)
			if len(got) < 10_000 {
				break
			}
		}
		took := time.Since(start)
		runtime.UnlockOSThread()
		if want := sessions / 100 * share; removed != want {
			t.Errorf("%d %%: removed %d, want %d", share, removed, want)
		}
		slices.Sort(m.wall)
		slices.Sort(m.cpu)
		last := len(m.wall) - 1
		t.Logf("%3d %% expired: %d locks; work under one: median %v, max %v; wall: median %v, p99 %v, max %v; %d visits, %v in all",
			share, last+1, m.cpu[last/2], m.cpu[last], m.wall[last/2], m.wall[last*99/100], m.wall[last], m.visits, took)
		if m.most > sweepBatch || m.cpu[last] > time.Millisecond || m.wall[last*99/100] > time.Millisecond {
			t.Errorf("%d %%: up to %d visits under one lock, %v of work, %v on the wall", share, m.most, m.cpu[last], m.wall[last*99/100])
		}
	}
}

// A holdMeter measures how long locks are held.
type holdMeter struct {
	wall, cpu    []time.Duration
	visits, most int
	at           time.Time
	used         time.Duration
}

func (m *holdMeter) held(taken bool, visits int) {
	if taken {
		m.used, m.at = threadTime(), time.Now()
		return
	}
	m.wall = append(m.wall, time.Since(m.at))
	m.cpu = append(m.cpu, threadTime()-m.used)
	m.visits += visits
	m.most = max(m.most, visits)
}

// threadTime is the processor time used by this thread, zero where the system
// does not tell.
var threadTime = func() time.Duration { return 0 }
