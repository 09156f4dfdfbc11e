package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

const counter = "counter"

// countUp opens the file, and adds one to a shared record as often as it is told.
func countUp(args []string) (err error) {
	ctx := context.Background()
	s, err := OpenSQLite(ctx, args[0], nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	r := sojourn.Record{ID: counter, Expires: in(time.Hour), Payload: []byte("0")}
	if err := s.Create(ctx, &r); err != nil && !errors.Is(err, sojourn.ErrExists) {
		return err
	}
	if r, err = s.Load(ctx, counter); err != nil {
		return err
	}
	for n > 0 {
		v, err := strconv.Atoi(string(r.Payload))
		if err != nil {
			return err
		}
		next := r
		next.Payload = []byte(strconv.Itoa(v + 1))
		current, err := s.Update(ctx, &next)
		switch {
		case err == nil:
			r, n = next, n-1
		case errors.Is(err, sojourn.ErrConflict):
			r = current
		default:
			return err
		}
	}
	return nil
}

func TestP2SeveralProcessesShareOneFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	const processes, each = 4, 60
	var all []*child
	for range processes { // all meet an absent file: creating it is part of the test
		all = append(all, startChild(t, "counts", path, strconv.Itoa(each)))
	}
	for _, c := range all {
		if err := c.Wait(); err != nil {
			t.Errorf("a process failed: %v", err)
		}
	}
	r, err := open(t, path).Load(t.Context(), counter)
	if err != nil || string(r.Payload) != strconv.Itoa(processes*each) {
		t.Errorf("the processes counted to %q, %v: expected %d", r.Payload, err, processes*each)
	}
}

func TestOneProcessMayOpenAFileSeveralTimes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	errs := make([]error, 8)
	each(len(errs), func(i int) {
		s, err := OpenSQLite(context.Background(), path, nil)
		if err != nil {
			errs[i] = err
			return
		}
		r := sojourn.Record{ID: sojourn.ID(fmt.Sprint("from ", i)), Owner: "user", Expires: in(time.Hour)}
		errs[i] = errors.Join(s.Create(context.Background(), &r), s.Close())
	})
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
	if ids, err := open(t, path).List(t.Context(), "user"); err != nil || len(ids) != len(errs) {
		t.Errorf("%d records, %v: expected %d", len(ids), err, len(errs))
	}
}

func TestAWriteOfAnotherProcessIsSeenAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	a, b := open(t, path), open(t, path)
	r := create(t, a, "shared", "user")
	if _, err := b.Load(t.Context(), r.ID); err != nil {
		t.Error(err)
	}
	if err := b.Revoke(t.Context(), sojourn.RevokedRecord{ID: r.ID, Owner: "user", Reason: sojourn.ReasonLogout, At: in(0), Until: in(time.Minute)}); err != nil {
		t.Fatal(err)
	}
	if dead, err := a.Load(t.Context(), r.ID); !errors.Is(err, sojourn.ErrNotFound) || !dead.Dead {
		t.Errorf("a revoked record: %+v, %v: expected its tombstone", dead, err)
	}
}

func TestABusyFileIsAnErrorThatStoresNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	holder := open(t, path)
	s, err := OpenSQLite(t.Context(), path, &Options{BusyTimeout: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	held, release := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	go func() {
		done <- holder.writes.do(context.Background(), durable, func(*tx) error {
			close(held)
			<-release
			return nil
		})
	}()
	<-held
	r := sojourn.Record{ID: "late", Expires: in(time.Hour)}
	if err := s.Create(t.Context(), &r); err == nil || !isBusy(err) {
		t.Errorf("create while another process writes: %v: expected busy", err)
	}
	close(release)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load(t.Context(), "late"); !errors.Is(err, sojourn.ErrNotFound) {
		t.Errorf("the refused record: %v: expected ErrNotFound", err)
	}
	if err := s.Create(t.Context(), &r); err != nil {
		t.Errorf("create after it: %v", err)
	}
}
