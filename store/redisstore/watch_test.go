package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/testenv"
)

// What a cache looks for, see package nearstore.
var _ interface {
	Watch(ctx context.Context, changed func(id sojourn.ID, owner string)) error
} = (*Store)(nil)

// A listener does what a cache does: it listens again when its channel is lost.
type listener struct {
	mu      sync.Mutex
	ids     map[sojourn.ID]int
	owners  map[string]int
	flushes int
	losses  []error
}

func listen(t *testing.T, s *Store) *listener {
	t.Helper()
	l := &listener{ids: map[sojourn.ID]int{}, owners: map[string]int{}}
	ctx, cancel := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watching.Go(func() {
		for ctx.Err() == nil {
			err := s.Watch(ctx, l.changed)
			l.mu.Lock()
			l.losses = append(l.losses, err)
			l.mu.Unlock()
			if errors.Is(err, ErrClosed) {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	})
	t.Cleanup(func() {
		cancel()
		watching.Wait()
	})
	l.expect(t, "it listens", func() bool { return l.flushes > 0 })
	return l
}

func (l *listener) changed(id sojourn.ID, owner string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case id != "":
		l.ids[id]++
	case owner != "":
		l.owners[owner]++
	default:
		l.flushes++
	}
}

// forget begins counting anew.
func (l *listener) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.ids)
	clear(l.owners)
	l.flushes, l.losses = 0, nil
}

func (l *listener) expect(t *testing.T, what string, check func() bool) {
	t.Helper()
	testenv.Eventually(t, what, 15*time.Second, func() error {
		l.mu.Lock()
		defer l.mu.Unlock()
		if check() {
			return nil
		}
		return fmt.Errorf("told of %d sessions, of the owners %v, %d flushes, losses %v", len(l.ids), l.owners, l.flushes, l.losses)
	})
}

// TestWatch: whatever another process does is told, on every server of a
// Cluster, for IDs of every form.
func TestWatch(t *testing.T) {
	topologies(t, func(t *testing.T, url string) {
		l := listen(t, open(t, url, nil))
		other := open(t, url, nil)
		stranger := open(t, url+"not", nil)
		for i := range 20 {
			r := newRecord("owner " + random())
			if i%2 == 1 {
				r.ID = "sess:" + sojourn.ID(random())
			}
			told := func(what string, err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
				l.expect(t, what, func() bool { return l.ids[r.ID] > 0 })
				l.forget()
			}
			if err := stranger.Create(t.Context(), &r); err != nil {
				t.Fatal(err)
			}
			told("Create", other.Create(t.Context(), &r))
			_, err := other.Update(t.Context(), &r)
			told("Update", err)
			told("Touch", other.Touch(t.Context(), &r, r.Expires.Add(time.Hour)))
			_, err = other.RevokeOwner(t.Context(), r.Owner)
			if err != nil {
				t.Fatal(err)
			}
			l.expect(t, "RevokeOwner", func() bool { return l.owners[r.Owner] == 1 })
			// A touch moves the expiry of the generation, too, which ends nothing.
			told("Touch", other.Touch(t.Context(), &r, r.Expires.Add(2*time.Hour)))
			told("Revoke", other.Revoke(t.Context(), revocation(r)))
			if _, err := other.RevokeOwner(t.Context(), r.Owner); err != nil {
				t.Fatal(err)
			}
			l.expect(t, "RevokeOwner again", func() bool { return l.owners[r.Owner] == 1 && len(l.owners) == 1 })
			if l.flushes > 0 || len(l.ids) > 0 {
				t.Errorf("without need: %d flushes, %v", l.flushes, l.ids)
			}
			l.forget()
		}
	})
}

// TestWatchTellsOfExpiry: what the server removes, by time or by hand.
func TestWatchTellsOfExpiry(t *testing.T) {
	r := testenv.StartRedis(t, nil)
	s := open(t, "redis://"+r.Addr, &Options{Linger: -1})
	l := listen(t, s)
	session := newRecord("")
	session.Expires = time.Now().Add(50 * time.Millisecond)
	if err := s.Create(t.Context(), &session); err != nil {
		t.Fatal(err)
	}
	l.expect(t, "creation and expiry", func() bool { return l.ids[session.ID] == 2 })
	l.forget()
	r.Do("FLUSHALL")
	l.expect(t, "FLUSHALL", func() bool { return l.flushes == 1 })
}

// TestWatchLosesItsConnection: a cut is told at once, silence within seconds.
// What happened meanwhile is covered by the flush that follows.
func TestWatchLosesItsConnection(t *testing.T) {
	r := testenv.StartRedis(t, nil)
	line := testenv.StartProxy(t, r.Addr)
	s := open(t, "redis://"+line.Addr, nil)
	other := open(t, "redis://"+r.Addr, nil)
	session := create(t, other, "owner "+random())
	l := listen(t, s)
	for what, fault := range map[string]func(){"a cut": line.Cut, "silence": line.Freeze} {
		l.forget()
		line.Refuse(true)
		fault()
		l.expect(t, what+": the loss is told", func() bool { return l.flushes > 0 && len(l.losses) > 0 })
		if !strings.HasPrefix(l.losses[0].Error(), "redisstore: watch: 127.0.0.1:") {
			t.Errorf("%s: the loss is %q", what, l.losses[0])
		}
		l.forget()
		if err := other.Touch(t.Context(), &session, session.Expires.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		line.Thaw()
		line.Refuse(false)
		l.expect(t, what+": it listens again", func() bool { return l.flushes > 0 })
		if err := other.Revoke(t.Context(), revocation(session)); err != nil {
			t.Fatal(err)
		}
		l.expect(t, what+": a later change", func() bool { return l.ids[session.ID] > 0 })
		session = create(t, other, session.Owner)
	}
}

// TestWatchAcrossAFailover: the primary dies, or becomes a replica that still
// answers.
func TestWatchAcrossAFailover(t *testing.T) {
	for name, fail := range map[string]func(primary, sentinel *testenv.Redis){
		"killed":  func(primary, _ *testenv.Redis) { primary.Kill() },
		"demoted": func(_, sentinel *testenv.Redis) { sentinel.Do("SENTINEL", "FAILOVER", "main") },
	} {
		t.Run(name, func(t *testing.T) {
			primary := testenv.StartRedis(t, nil)
			replica := testenv.StartRedisReplica(t, primary.Addr, nil)
			sentinel := testenv.StartSentinel(t, "main", primary)
			testenv.Eventually(t, "the Sentinel trusts the replica", 20*time.Second, func() error {
				if about := fmt.Sprint(sentinel.Do("SENTINEL", "REPLICAS", "main")); !strings.Contains(about, "master-link-status ok") {
					return errors.New(about)
				}
				return nil
			})
			l := listen(t, open(t, "redis+sentinel://"+sentinel.Addr+"/main", nil))
			r := create(t, open(t, "redis://"+primary.Addr, nil), "")
			l.expect(t, "a change on the first primary", func() bool { return l.ids[r.ID] > 0 })
			l.forget()
			fail(primary, sentinel)
			testenv.Eventually(t, "the failover", 20*time.Second, func() error {
				if role := replica.Info("role"); role != "master" {
					return fmt.Errorf("the replica is %s", role)
				}
				return nil
			})
			l.expect(t, "the loss, and another channel", func() bool { return l.flushes > 0 && len(l.losses) > 0 })
			other := open(t, "redis://"+replica.Addr, nil)
			testenv.Eventually(t, "a change on the new primary", 20*time.Second, func() error {
				create(t, other, "")
				l.mu.Lock()
				defer l.mu.Unlock()
				if len(l.ids) == 0 {
					return errNotYet
				}
				return nil
			})
		})
	}
}

// TestWatchComparesThePrimaries: one that is new has no connection that breaks.
func TestWatchComparesThePrimaries(t *testing.T) {
	s := open(t, "redis+cluster://"+servers(t).Addrs(), nil)
	l := listen(t, s)
	l.forget()
	l.expect(t, "a Cluster with one primary", func() bool {
		s.serving.Store(&map[string]string{servers(t).Nodes[0].Addr: "its run"}) // until the next survey
		return l.flushes > 0 && len(l.losses) > 0
	})
	if !errors.Is(l.losses[0], sojourn.ErrUnavailable) {
		t.Errorf("the loss is %v", l.losses[0])
	}
	l.forget()
	l.expect(t, "all of them", func() bool { return l.flushes > 0 })
}

func TestWatchEnds(t *testing.T) {
	r := testenv.StartRedis(t, &testenv.RedisOptions{Config: []string{
		"user app on >s3cret " + minimal + "+info +wait", "user watcher on >s3cret " + minimal + "+client|tracking"}})
	nobody := func(sojourn.ID, string) {}
	s := open(t, "redis://app:s3cret@"+r.Addr, nil)
	if err := s.Watch(t.Context(), nobody); err == nil || !strings.Contains(err.Error(), "lacks a permission") {
		t.Errorf("without +client|tracking: %v", err)
	}
	s = open(t, "redis://watcher:s3cret@"+r.Addr, nil)
	ctx, cancel := context.WithCancel(t.Context())
	if err := s.Watch(ctx, func(sojourn.ID, string) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Errorf("when its context ends: %v", err)
	}
	if err := s.Watch(t.Context(), func(sojourn.ID, string) { s.stop() }); !errors.Is(err, ErrClosed) {
		t.Errorf("when the store is closed: %v", err)
	}
	s.Close()
	if err := s.Watch(t.Context(), nobody); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// TestWatchInAFlood: more generations than a feed holds are no secret, either.
func TestWatchInAFlood(t *testing.T) {
	f := &feed{store: &Store{opt: Options{Prefix: "p:"}}, raised: make(chan raise, 1), known: map[string]uint64{}}
	l := &listener{ids: map[sojourn.ID]int{}, owners: map[string]int{}}
	f.changed = l.changed
	r := open(t, "redis://"+server(t).Addr, nil)
	keys, err := r.do(t.Context(), call{script: newScript(true, `return {'p:g{aaaaaaaa}', 'p:g{bbbbbbbb}', 'p:s{cccccccc}1234567890123456789012', 'p:x', 'other'}`)}).ToArray()
	if err != nil {
		t.Fatal(err)
	}
	f.hear(nil, keys)
	if len(f.raised) != 1 || l.flushes != 1 || len(l.ids) != 1 || l.ids["cccccccc1234567890123456789012"] != 1 {
		t.Errorf("%d wait, %d flushes, sessions %v", len(f.raised), l.flushes, l.ids)
	}
	if err := f.compare([]byte("\x03ada\x00\x00")); !errors.Is(err, sojourn.ErrCorrupt) {
		t.Errorf("generations cut short: %v", err)
	}
	f.end()
	f.hear(nil, keys)
	if l.flushes != 1 {
		t.Error("it tells after its end")
	}
}
