package redisstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/testenv"
)

// TestP1LogoutIsFinalAcrossAFailover lets a replica become primary that never
// got the latest revocations. The store that revoked tells it again; another one
// without a journal shows that this was needed.
func TestP1LogoutIsFinalAcrossAFailover(t *testing.T) {
	primary := testenv.StartRedis(t, nil)
	line := testenv.StartProxy(t, primary.Addr)
	replica := testenv.StartRedisReplica(t, line.Addr, nil)
	sentinel := testenv.StartSentinel(t, "main", primary)
	url := "redis+sentinel://" + sentinel.Addr + "/main"
	var log logBook
	s := open(t, url, &Options{ReplicaWait: 5 * time.Millisecond, Logger: log.logger()})
	forgetful := open(t, url, &Options{ReplicaWait: -1, Replay: -1})

	const each = 50
	var revoked, forgotten, kept, owned []sojourn.Record
	owner := "owner " + random()
	for range each {
		revoked = append(revoked, create(t, s, "owner "+random()))
		forgotten = append(forgotten, create(t, s, "owner "+random()))
		kept = append(kept, create(t, s, "owner "+random()))
		owned = append(owned, create(t, s, owner))
	}
	testenv.Eventually(t, "the replica has every session", 10*time.Second, func() error {
		if got, want := replica.Do("DBSIZE"), primary.Do("DBSIZE"); got != want {
			return fmt.Errorf("%v keys of %v", got, want)
		}
		return nil
	})

	line.Freeze() // the replica hears nothing any more
	var all sync.WaitGroup
	for i := range each {
		all.Go(func() {
			if err := s.Revoke(t.Context(), revocation(revoked[i])); err != nil {
				t.Error(err)
			}
			if err := forgetful.Revoke(t.Context(), revocation(forgotten[i])); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	generation, err := s.RevokeOwner(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	primary.Kill()
	line.Refuse(true)
	line.Cut()
	began := time.Now()
	for { // as requests do during a failover: none may see a revoked session live
		if _, err := s.Load(t.Context(), revoked[0].ID); err == nil {
			t.Fatal("the store that revoked a session sees it live")
		} else if errors.Is(err, sojourn.ErrNotFound) {
			break
		}
		if time.Since(began) > 20*time.Second {
			t.Fatal("no failover")
		}
		time.Sleep(time.Millisecond)
	}
	t.Logf("the new primary serves after %v", time.Since(began).Round(time.Millisecond))
	for _, r := range revoked {
		if got, err := s.Load(t.Context(), r.ID); !errors.Is(err, sojourn.ErrNotFound) || !got.Dead {
			t.Errorf("the store that revoked a session: dead %v, error %v", got.Dead, err)
		}
		if _, err := s.Update(t.Context(), &r); !errors.Is(err, sojourn.ErrNotFound) {
			t.Errorf("it also updates it: %v", err)
		}
	}

	resurrected := func(records []sojourn.Record) (n int, err error) {
		for _, r := range records {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, err := forgetful.Load(ctx, r.ID)
			cancel()
			if err == nil {
				n++
			} else if !errors.Is(err, sojourn.ErrNotFound) {
				return n, err
			}
		}
		return n, nil
	}
	testenv.Eventually(t, "every process sees what was revoked", 10*time.Second, func() error {
		n, err := resurrected(revoked)
		if err == nil && n > 0 {
			err = fmt.Errorf("%d of %d revoked sessions are live", n, each)
		}
		return err
	})
	testenv.Eventually(t, "every process sees the owner's generation", 10*time.Second, func() error {
		got, err := forgetful.Load(t.Context(), owned[0].ID)
		if err == nil && got.OwnerGeneration < generation {
			err = fmt.Errorf("it is %d, expected %d", got.OwnerGeneration, generation)
		}
		return err
	})
	t.Logf("the last of %d is dead again %v after the kill", each, time.Since(began).Round(time.Millisecond))
	if n, err := resurrected(forgotten); err != nil || n == 0 {
		t.Errorf("without a journal %d of %d were live again (%v): this failover lost nothing, so the test shows nothing", n, each, err)
	}
	if n, err := resurrected(kept); err != nil || n != each {
		t.Errorf("%d of %d other sessions live on (%v)", n, each, err)
	}
	everything(t, s)
	t.Logf("log of the store:\n%s", log.String())
}

// TestRestartReplays: a server that comes back without its data, or with old
// data, is a new primary, too.
func TestRestartReplays(t *testing.T) {
	r := testenv.StartRedis(t, &testenv.RedisOptions{Config: []string{"dbfilename dump.rdb"}})
	s := open(t, "redis://"+r.Addr, nil)
	other := open(t, "redis://"+r.Addr, &Options{Replay: -1})
	session := create(t, s, "owner "+random())
	foreign := newRecord(session.Owner)
	foreign.ID = "sess:" + sojourn.ID(random())
	if err := s.Create(t.Context(), &foreign); err != nil {
		t.Fatal(err)
	}
	r.Do("SAVE")
	for _, record := range []sojourn.Record{session, foreign} {
		if err := s.Revoke(t.Context(), revocation(record)); err != nil {
			t.Fatal(err)
		}
	}
	r.Kill()
	r.Start()
	for _, record := range []sojourn.Record{session, foreign} {
		if _, err := s.Load(t.Context(), record.ID); !errors.Is(err, sojourn.ErrNotFound) {
			t.Errorf("the store that revoked a session: %v", err)
		}
		testenv.Eventually(t, "it is dead again", 10*time.Second, func() error {
			if _, err := other.Load(t.Context(), record.ID); !errors.Is(err, sojourn.ErrNotFound) {
				return fmt.Errorf("Load: %v", err)
			}
			return nil
		})
	}
}

// TestRevokeSurvivesAnOutage: somebody logs out while the server is down.
func TestRevokeSurvivesAnOutage(t *testing.T) {
	r := testenv.StartRedis(t, nil)
	p := testenv.StartProxy(t, r.Addr)
	s := open(t, "redis://"+p.Addr, nil)
	other := open(t, "redis://"+r.Addr, nil)
	session := create(t, s, "owner "+random())
	p.Refuse(true)
	p.Cut()
	if err := s.Revoke(t.Context(), revocation(session)); err == nil {
		t.Error("Revoke without a server: no error")
	}
	if _, err := other.Load(t.Context(), session.ID); err != nil {
		t.Errorf("it was revoked although the server did not hear of it: %v", err)
	}
	p.Refuse(false)
	testenv.Eventually(t, "the logout arrives", 10*time.Second, func() error {
		if _, err := other.Load(t.Context(), session.ID); !errors.Is(err, sojourn.ErrNotFound) {
			return fmt.Errorf("Load: %v", err)
		}
		return nil
	})
}
