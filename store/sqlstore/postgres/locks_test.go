package postgres

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/testenv"
)

// A login does not wait for "sign out everywhere", nor the other way round, and
// is dead if it began before that was done.
func TestP13CreateDoesNotWaitForRevokeOwner(t *testing.T) {
	url := newDatabase(t)
	s := openURL(t, url, nil)
	if _, err := s.RevokeOwner(t.Context(), "user"); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), sqlRevokeOwner, []byte("user")); err != nil {
		t.Fatal(err)
	}
	r := create(t, s, "racing", "user")
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := s.Load(t.Context(), r.ID)
	if err != nil || got.Generation != 1 || got.OwnerGeneration != 2 {
		t.Errorf("a login that raced RevokeOwner: %v, %v: expected generation 1 of 2", got, err)
	}
}

// The snapshot of a statement that waited for a row shows what was there before.
func TestUpdateThatWaitedReadsTheLatestRecord(t *testing.T) {
	url := newDatabase(t)
	s := openURL(t, url, nil)
	for _, isolation := range []string{"read committed", "repeatable read"} {
		r := create(t, s, isolation[:4], "")
		admin(t, url, "ALTER ROLE \""+testenv.Admin+"\" SET default_transaction_isolation = '"+isolation+"'")
		waiter := openURL(t, url, nil)
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		tx, err := conn.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), "UPDATE sojourn_session SET ver = ver + 1, data = 'later' WHERE id = $1", []byte(r.ID)); err != nil {
			t.Fatal(err)
		}
		type answer struct {
			current sojourn.Record
			err     error
		}
		answers := make(chan answer)
		go func() {
			c := r
			current, err := waiter.Update(t.Context(), &c)
			answers <- answer{current, err}
		}()
		testenv.Eventually(t, "the update waits", 10*time.Second, func() error {
			if counter(t, url, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") == 0 {
				return errors.New("it does not")
			}
			return nil
		})
		if err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		a := <-answers
		if !errors.Is(a.err, sojourn.ErrConflict) || string(a.current.Payload) != "later" || a.current.Version != r.Version+1 {
			t.Errorf("%s: %v, %v: expected a conflict with the later record", isolation, a.current, a.err)
		}
	}
	admin(t, url, "ALTER ROLE \""+testenv.Admin+"\" RESET default_transaction_isolation")
}

func TestSweepPassesOverWhatOthersHold(t *testing.T) {
	url := newDatabase(t)
	s := openURL(t, url, nil)
	for _, id := range []sojourn.ID{"held", "free"} {
		r := sojourn.Record{ID: id, Expires: time.UnixMilli(1)}
		if err := s.Create(t.Context(), &r); err != nil {
			t.Fatal(err)
		}
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), sqlTouch, 5, []byte("held")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if gone, err := s.Sweep(ctx, time.Now(), 10); err != nil || len(gone) != 1 || gone[0].ID != "free" {
		t.Errorf("a sweep gives %v, %v: expected the one that nobody holds", gone, err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if gone, err := s.Sweep(t.Context(), time.Now(), 10); err != nil || len(gone) != 1 || gone[0].ID != "held" {
		t.Errorf("the next sweep gives %v, %v: expected the other one", gone, err)
	}
}
