package redisstore

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/testenv"
)

// roundTrips counts how often the store spoke to its server during n calls. What
// the store asks on its own now and then is left out by trying again.
func roundTrips(t *testing.T, p *testenv.Proxy, name string, n int, want int64, call func(i int) error) {
	t.Helper()
	var got int64
	for range 5 {
		before := p.Turns()
		for i := range n {
			if err := call(i); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if got = p.Turns() - before; got == want*int64(n) {
			return
		}
	}
	t.Errorf("%d calls of %s took %d round trips, expected %d each", n, name, got, want)
}

func TestOneRoundTripEach(t *testing.T) {
	primary := testenv.StartRedis(t, nil)
	p := testenv.StartProxy(t, primary.Addr)
	s := open(t, "redis://"+p.Addr, nil)
	eachOperation(t, s, p)
	t.Run("WhereReplicasAreWaitedFor", func(t *testing.T) {
		testenv.StartRedisReplica(t, primary.Addr, nil)
		testenv.Eventually(t, "the store knows of the replica", 10*time.Second, func() error {
			if !s.replicated.Load() {
				return errNotYet
			}
			return nil
		})
		eachOperation(t, s, p)
		if n := calls(primary, "wait"); n < 20 {
			t.Errorf("WAIT was called %d times", n)
		}
	})
}

func eachOperation(t *testing.T, s *Store, p *testenv.Proxy) {
	const n = 20
	owner := "owner " + random()
	for _, shape := range []struct {
		name string
		more int64 // round trips of an away record
		make func() sojourn.Record
	}{
		{"of an owner", 0, func() sojourn.Record { return newRecord(owner) }},
		{"of nobody", 0, func() sojourn.Record { return newRecord("") }},
		{"away", 1, func() sojourn.Record {
			r := newRecord(owner)
			r.ID = "sess:" + sojourn.ID(random())
			return r
		}},
	} {
		ctx := t.Context()
		var all []sojourn.Record
		add := func() *sojourn.Record {
			all = append(all, shape.make())
			return &all[len(all)-1]
		}
		if err := s.Create(ctx, add()); err != nil { // and every script is known from here on
			t.Fatal(err)
		}
		everything(t, s)
		r := all[0]
		count := func(name string, n int, want int64, call func(i int) error) {
			t.Helper()
			roundTrips(t, p, name+" "+shape.name, n, want, call)
		}
		count("Load", n, 1+shape.more, func(int) error { _, err := s.Load(ctx, r.ID); return err })
		count("Create", n, 1+shape.more, func(int) error { return s.Create(ctx, add()) })
		count("Update", n, 1+shape.more, func(int) error { _, err := s.Update(ctx, &r); return err })
		count("Touch", n, 1+shape.more, func(i int) error { return s.Touch(ctx, &r, time.Now().Add(2*time.Hour)) })
		kept := r
		kept.Expires = time.Time{}
		count("Update that keeps the deadline", n, 1, func(int) error { _, err := s.Update(ctx, &kept); return err })
		stale := kept
		stale.Version = 1
		count("Update that conflicts", n, 1+shape.more, func(int) error {
			if _, err := s.Update(ctx, &stale); err != errStale {
				return err
			}
			return nil
		})
		next := 0
		count("Revoke", 4, 1+shape.more, func(int) error { next++; return s.Revoke(ctx, revocation(all[next])) })
	}
	ctx := t.Context()
	roundTrips(t, p, "List", n, 1, func(int) error { _, err := s.List(ctx, owner); return err })
	roundTrips(t, p, "RevokeOwner", n, 1, func(int) error { _, err := s.RevokeOwner(ctx, owner); return err })
}

// calls is how often clients and scripts ran a command.
func calls(r *testenv.Redis, command string) int {
	stat := r.Info("cmdstat_" + command)
	stat, _, _ = strings.Cut(strings.TrimPrefix(stat, "calls="), ",")
	n, _ := strconv.Atoi(stat)
	return n
}

// TestClusterNeverRedirects: every key of an operation is where its first key is.
func TestClusterNeverRedirects(t *testing.T) {
	c := servers(t)
	s := open(t, "redis+cluster://"+c.Addrs(), nil)
	for range 50 {
		everything(t, s)
	}
	for _, n := range c.Nodes {
		for _, code := range []string{"MOVED", "ASK", "CROSSSLOT"} {
			if count := n.Info("errorstat_" + code); count != "" {
				t.Errorf("%s: %s %s", n.Addr, code, count)
			}
		}
	}
}
