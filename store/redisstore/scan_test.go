package redisstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/testenv"
)

// topologies are URLs of a single server and of a Cluster, with a prefix that no
// other test has, and with characters that patterns know.
func topologies(t *testing.T, test func(t *testing.T, url string)) {
	for name, url := range map[string]func() string{
		"single":  func() string { return "redis://" + server(t).Addr },
		"cluster": func() string { return "redis+cluster://" + servers(t).Addrs() },
	} {
		t.Run(name, func(t *testing.T) { test(t, url()+"?prefix=*[%3F"+random()+"]%5C:") })
	}
}

// populate creates records of every kind and returns them as Scan should.
func populate(t *testing.T, s *Store, n int) (all []sojourn.Record) {
	t.Helper()
	for i := range n {
		r := newRecord([]string{"", "owner " + random(), "owner of many"}[i%3])
		switch i % 5 {
		case 1:
			r.ID = "sess:{" + sojourn.ID(random()) + "}"
		case 2:
			r.Expires = time.Now().Add(-time.Minute)
		}
		r.Expires = r.Expires.UTC().Truncate(time.Millisecond)
		if err := s.Create(t.Context(), &r); err != nil {
			t.Fatal(err)
		}
		if i%7 == 0 {
			end := revocation(r)
			if err := s.Revoke(t.Context(), end); err != nil {
				t.Fatal(err)
			}
			r = end.Tombstone()
			r.Expires = r.Expires.UTC().Truncate(time.Millisecond)
		}
		all = append(all, r)
	}
	generation, err := s.RevokeOwner(t.Context(), "owner of many")
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		if all[i].Owner == "owner of many" {
			all[i].OwnerGeneration = generation
		}
	}
	slices.SortFunc(all, func(a, b sojourn.Record) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return all
}

func scanAll(t *testing.T, s *Store, limit int) (all []sojourn.Record) {
	t.Helper()
	var after sojourn.ID
	for {
		part, err := s.Scan(t.Context(), after, limit)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, part...)
		if len(part) < limit {
			return all
		}
		after = part[len(part)-1].ID
	}
}

func ids(records []sojourn.Record) (all []sojourn.ID) {
	for _, r := range records {
		all = append(all, r.ID)
	}
	return all
}

func TestScan(t *testing.T) {
	topologies(t, func(t *testing.T, url string) {
		s := open(t, url, nil)
		want := populate(t, s, 200)
		for _, sizes := range [][2]int{{1000, 1 << 18}, {200, 1 << 18}, {7, 1 << 18}, {7, 10}, {30, 10}, {1, 64}, {1000, 1}} {
			s.walks.window = sizes[1]
			got := scanAll(t, s, sizes[0])
			if !slices.Equal(ids(got), ids(want)) {
				t.Fatalf("limit %d, window %d: %d records, expected %d", sizes[0], sizes[1], len(got), len(want))
			}
			for i := range got {
				got[i].Version, want[i].Version = 0, 0
				if !reflect.DeepEqual(got[i], want[i]) {
					t.Fatalf("a record is\n%+v, expected\n%+v", got[i], want[i])
				}
			}
			if len(s.walks.all) != 0 {
				t.Errorf("limit %d, window %d: the walk that has ended is remembered", sizes[0], sizes[1])
			}
		}
		// Another process, and one that forgot, go on from anywhere.
		middle := want[100].ID
		for _, who := range []*Store{s, open(t, url, nil)} {
			got, err := who.Scan(t.Context(), middle, 5)
			if err != nil || !slices.Equal(ids(got), ids(want[101:106])) {
				t.Errorf("from the middle: %q, %v", ids(got), err)
			}
		}
		if rs, err := s.Scan(t.Context(), "", 0); err != nil || len(rs) != 0 {
			t.Errorf("limit 0: %d records, %v", len(rs), err)
		}
		if rs, err := s.Scan(t.Context(), "~", 1); err != nil || len(rs) != 0 {
			t.Errorf("behind the last: %d records, %v", len(rs), err)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Scan(ended, "", 10); !errors.Is(err, context.Canceled) {
			t.Errorf("with an ended context: %v", err)
		}
	})
}

// TestScanBeginsAnew: a new walk begins with what is there now.
func TestScanBeginsAnew(t *testing.T) {
	topologies(t, func(t *testing.T, url string) {
		s := open(t, url, nil)
		want := ids(populate(t, s, 20))
		if _, err := s.Scan(t.Context(), "", 5); err != nil {
			t.Fatal(err)
		}
		r := create(t, s, "")
		want = append(want, r.ID)
		slices.Sort(want)
		if got := ids(scanAll(t, s, 5)); !slices.Equal(got, want) {
			t.Errorf("%d records, expected %d", len(got), len(want))
		}
		if len(s.walks.all) > walkers {
			t.Errorf("%d walks are remembered", len(s.walks.all))
		}
	})
}

// TestScanAmongWriters: every record that stays is met once, in order, while
// others come, change and go, and tables grow and shrink.
func TestScanAmongWriters(t *testing.T) {
	topologies(t, func(t *testing.T, url string) {
		s := open(t, url, nil)
		want := ids(populate(t, s, 300))
		s.walks.window = 64
		ctx, cancel := context.WithCancel(t.Context())
		var writing sync.WaitGroup
		defer writing.Wait()
		defer cancel()
		for range 4 {
			writing.Go(func() {
				for ctx.Err() == nil {
					var mine []sojourn.Record
					for range 50 {
						r := newRecord("owner " + strconv.Itoa(rand.N(20)))
						if s.Create(ctx, &r) == nil {
							mine = append(mine, r)
						}
					}
					for _, r := range mine {
						s.Update(ctx, &r)
						s.Touch(ctx, &r, r.Expires.Add(time.Hour))
						s.do(ctx, call{name: "DEL", keys: []string{s.place(r.ID, r.Owner).session}})
					}
				}
			})
		}
		for range 5 {
			got := ids(scanAll(t, s, 50))
			if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
				t.Error("not in order, or doubled")
			}
			missing := 0
			for _, id := range want {
				if _, ok := slices.BinarySearch(got, id); !ok {
					missing++
				}
			}
			if missing > 0 {
				t.Errorf("%d of %d records are missing", missing, len(want))
			}
		}
	})
}

func TestScanFails(t *testing.T) {
	r := testenv.StartRedis(t, &testenv.RedisOptions{Config: []string{
		"user app on >s3cret " + minimal + "+info +wait", "user walker on >s3cret " + minimal + "+scan"}})
	s := open(t, "redis://app:s3cret@"+r.Addr, nil)
	record := create(t, s, "")
	if _, err := s.Scan(t.Context(), "", 1); err == nil || !strings.Contains(err.Error(), "lacks a permission") {
		t.Errorf("without +scan: %v", err)
	}
	walker := open(t, "redis://walker:s3cret@"+r.Addr, nil)
	if got := scanAll(t, walker, 1); len(got) != 1 {
		t.Errorf("with +scan: %d records", len(got))
	}
	r.Do("SET", s.sessionKey(record.ID, tagOf(record.ID)), "nonsense")
	if _, err := walker.Scan(t.Context(), "", 10); !errors.Is(err, sojourn.ErrCorrupt) || !strings.Contains(err.Error(), string(record.ID)) {
		t.Errorf("a record that nobody can read: %v", err)
	}
	walker.Close()
	if _, err := walker.Scan(t.Context(), "", 10); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}

	c := testenv.StartRedisCluster(t, nil)
	all := open(t, "redis+cluster://"+c.Addrs(), nil)
	c.Nodes[1].Kill()
	if _, err := all.Scan(t.Context(), "", 1); err == nil || !strings.Contains(err.Error(), "some slots") {
		t.Errorf("without a third of the Cluster: %v", err)
	}
}

// TestScanGoesOn: a window is gathered once and serves many calls; a call that
// failed can be repeated.
func TestScanGoesOn(t *testing.T) {
	r := testenv.StartRedis(t, nil)
	line := testenv.StartProxy(t, r.Addr)
	s := open(t, "redis://"+line.Addr, nil)
	want := ids(populate(t, s, 200))
	scans := func() int {
		var n int
		fmt.Sscanf(r.Info("cmdstat_scan"), "calls=%d,", &n)
		return n
	}
	part, err := s.Scan(t.Context(), "", 20)
	if err != nil {
		t.Fatal(err)
	}
	got, before := ids(part), scans()
	line.Refuse(true)
	line.Cut()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Scan(ctx, got[19], 20); err == nil {
		t.Error("no error without a server")
	}
	line.Refuse(false)
	for len(part) == 20 {
		if part, err = s.Scan(t.Context(), got[len(got)-1], 20); err != nil {
			t.Fatal(err)
		}
		got = append(got, ids(part)...)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d records, expected %d", len(got), len(want))
	}
	if now := scans(); now != before {
		t.Errorf("%d times SCAN after the first call", now-before)
	}
}
