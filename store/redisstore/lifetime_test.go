package redisstore

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/testenv"
)

// ttl is how long the server keeps a key, rounded to the second.
func ttl(r *testenv.Redis, key string) time.Duration {
	ms, _ := r.Do("PTTL", key).(int64)
	return (time.Duration(ms) * time.Millisecond).Round(time.Second)
}

func TestLinger(t *testing.T) {
	r := server(t)
	s := open(t, "redis://"+r.Addr, nil)
	record := create(t, s, "owner "+random())
	key := s.sessionKey(record.ID, tagOf(record.ID))
	if got := ttl(r, key); got != time.Hour+10*time.Minute {
		t.Errorf("a record of an hour is kept for %v", got)
	}
	if err := s.Revoke(t.Context(), revocation(record)); err != nil {
		t.Fatal(err)
	}
	if got := ttl(r, key); got != 10*time.Minute {
		t.Errorf("a tombstone of ten minutes is kept for %v", got)
	}

	late := newRecord("owner " + random())
	late.Expires = time.Now().Add(-time.Minute) // as the core sees fit
	if err := s.Create(t.Context(), &late); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Load(t.Context(), late.ID); err != nil || got.Expires.UnixMilli() != late.Expires.UnixMilli() {
		t.Errorf("Load of a record that expired a minute ago: %v, %v", got.Expires, err)
	}
	brief := open(t, "redis://"+r.Addr, &Options{Linger: -1})
	gone := newRecord("owner " + random())
	gone.Expires = time.Now().Add(20 * time.Millisecond)
	if err := brief.Create(t.Context(), &gone); err != nil {
		t.Fatal(err)
	}
	testenv.Eventually(t, "without linger it goes", 5*time.Second, func() error {
		if _, err := brief.Load(t.Context(), gone.ID); !errors.Is(err, sojourn.ErrNotFound) {
			return errNotYet
		}
		return nil
	})
}

// TestGenerationOutlivesItsRecords: it would begin again at 0, and records of an
// older generation would live again.
func TestGenerationOutlivesItsRecords(t *testing.T) {
	r := server(t)
	s := open(t, "redis://"+r.Addr, nil)
	ctx := t.Context()
	for _, shape := range []string{"", "sess:"} {
		owner := "owner " + random()
		record := newRecord(owner)
		if shape != "" {
			record.ID = sojourn.ID(shape + random())
		}
		longer := func(what string, do func(expires time.Time) error) {
			t.Helper()
			record.Expires = record.Expires.Add(100 * time.Hour)
			if err := do(record.Expires); err != nil {
				t.Fatal(err)
			}
			kept := ttl(r, s.sessionKey(record.ID, tagOf(record.ID)))
			for name, key := range map[string]string{"generation": s.generationKey(homeOf(owner)), "index": s.indexKey(homeOf(owner), owner)} {
				if got := ttl(r, key); got < kept {
					t.Errorf("%s%s: the record is kept for %v, its %s for %v", shape, what, kept, name, got)
				}
			}
		}
		longer("RevokeOwner after Create", func(time.Time) error {
			err := s.Create(ctx, &record)
			if err == nil {
				_, err = s.RevokeOwner(ctx, owner)
			}
			return err
		})
		longer("Touch", func(expires time.Time) error { return s.Touch(ctx, &record, expires) })
		longer("Update", func(time.Time) error { _, err := s.Update(ctx, &record); return err })
		longer("Create after RevokeOwner", func(time.Time) error {
			record.ID = record.ID[:len(record.ID)-6] + sojourn.ID(random()[:6])
			return s.Create(ctx, &record)
		})
		if record.Generation != 1 {
			t.Errorf("%sgeneration %d, expected 1", shape, record.Generation)
		}
	}
}

// TestIndexForgetsExpired: an owner who logs in for ever and never lists does not
// grow.
func TestIndexForgetsExpired(t *testing.T) {
	r := server(t)
	s := open(t, "redis://"+r.Addr, &Options{Linger: time.Millisecond})
	owner := "owner " + random()
	for range 5 {
		old := newRecord(owner)
		old.Expires = time.Now().Add(10 * time.Millisecond)
		if err := s.Create(t.Context(), &old); err != nil {
			t.Fatal(err)
		}
	}
	kept := create(t, s, owner)
	testenv.Eventually(t, "they expire", 5*time.Second, func() error {
		if ids, err := s.List(t.Context(), owner); err != nil || len(ids) != 1 {
			return errNotYet
		}
		return nil
	})
	newest := create(t, s, owner)
	members := r.Do("ZRANGE", s.indexKey(homeOf(owner), owner), "0", "-1").([]any)
	if len(members) != 2 {
		t.Errorf("the index holds %q, expected %q and %q", members, kept.ID, newest.ID)
	}
	for _, id := range []sojourn.ID{kept.ID, newest.ID} {
		if err := s.Revoke(t.Context(), revocation(sojourn.Record{ID: id, Owner: owner})); err != nil {
			t.Fatal(err)
		}
	}
	if n := r.Do("EXISTS", s.indexKey(homeOf(owner), owner)); n != int64(0) {
		t.Error("an owner without sessions has an index")
	}
}

// TestFullServer: one that may not evict refuses what is new, but still ends and
// extends sessions.
func TestFullServer(t *testing.T) {
	r := testenv.StartRedis(t, &testenv.RedisOptions{Config: []string{"maxmemory-policy noeviction"}})
	s := open(t, "redis://"+r.Addr, nil)
	everything(t, s) // the scripts are known
	owner := "owner " + random()
	extended, revoked := create(t, s, owner), create(t, s, owner)
	r.Do("CONFIG", "SET", "maxmemory", "100kb")
	ctx := t.Context()
	ofNobody, ofOwner, ofOtherShape := newRecord(""), newRecord(owner), newRecord(owner)
	ofOtherShape.ID = "sess:" + sojourn.ID(random())
	for _, fresh := range []sojourn.Record{ofNobody, ofOwner, ofOtherShape} {
		if err := s.Create(ctx, &fresh); err == nil || !strings.Contains(err.Error(), "memory is full") {
			t.Errorf("Create: %v", err)
		}
		if _, err := s.Load(ctx, fresh.ID); !errors.Is(err, sojourn.ErrNotFound) {
			t.Errorf("what a full server refused: %v", err)
		}
	}
	changed := extended
	if _, err := s.Update(ctx, &changed); err == nil || !strings.Contains(err.Error(), "memory is full") {
		t.Errorf("Update: %v", err)
	}
	if err := s.Touch(ctx, &extended, time.Now().Add(2*time.Hour)); err != nil {
		t.Errorf("Touch: %v", err)
	}
	if err := s.Revoke(ctx, revocation(revoked)); err != nil {
		t.Errorf("Revoke: %v", err)
	}
	if _, err := s.RevokeOwner(ctx, owner); err != nil {
		t.Errorf("RevokeOwner: %v", err)
	}
	if got, err := s.Load(ctx, extended.ID); err != nil || got.OwnerGeneration != 1 || time.Until(got.Expires) < time.Hour {
		t.Errorf("Load: expires %v, generation %d, %v", got.Expires, got.OwnerGeneration, err)
	}
}

// TestReplicaWaitIsBounded: a replica that hangs delays a logout, not for long.
func TestReplicaWaitIsBounded(t *testing.T) {
	primary := testenv.StartRedis(t, nil)
	line := testenv.StartProxy(t, primary.Addr)
	testenv.StartRedisReplica(t, line.Addr, nil)
	testenv.Eventually(t, "the replica is in step", 10*time.Second, func() error {
		if !strings.Contains(primary.Info("slave0"), "state=online") {
			return errNotYet
		}
		return nil
	})
	s := open(t, "redis://"+primary.Addr, &Options{ReplicaWait: 100 * time.Millisecond})
	took := func() time.Duration {
		r := create(t, s, "")
		began := time.Now()
		if err := s.Revoke(t.Context(), revocation(r)); err != nil {
			t.Error(err)
		}
		return time.Since(began)
	}
	took() // connects
	quick := took()
	line.Freeze()
	slow := took()
	t.Logf("Revoke took %v, with a hanging replica %v", quick, slow)
	if slow < 100*time.Millisecond || slow > time.Second {
		t.Errorf("with a hanging replica it took %v, expected some 100 ms", slow)
	}
}

// TestScriptsAreSentAgain: SCRIPT FLUSH, or another server, knows none.
func TestScriptsAreSentAgain(t *testing.T) {
	r := testenv.StartRedis(t, nil)
	s := open(t, "redis://"+r.Addr, nil)
	for range 2 {
		everything(t, s)
		r.Do("SCRIPT", "FLUSH")
	}
}
