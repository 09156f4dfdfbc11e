package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/sojournhq/sojourn"
)

// Members that visits write.
const (
	hits = sojourn.Counter("hits")    // added to
	sum  = sojourn.Key[int64]("sum")  // the same, by functions that may run again
	last = sojourn.Key[string]("all") // written by everybody
)

// visitor is one of several writers of a session, with a key of its own.
type visitor struct {
	key     sojourn.Key[int]
	written int  // what the key must hold, 0 for nothing
	sure    bool // whether that was acknowledged
	visits  int
}

func newVisitors(n int) []*visitor {
	all := make([]*visitor, n)
	for i := range all {
		all[i] = &visitor{key: sojourn.Key[int](fmt.Sprintf("visitor-%d", i)), sure: true}
	}
	return all
}

// visit is one request: it opens the session, changes it and saves. It reports
// whether the session has gone.
func (r *rig) visit(t *target, v *visitor) (gone bool) {
	late, began := t.ended.Load(), time.Now()
	s, err := r.open(t, r.manager())
	switch {
	case isGone(err):
		if !t.mayEnd && time.Since(began) < grace/2 { // else the token may have been replaced meanwhile
			r.Errorf("a live session answered: %v", err)
		}
		r.gone.Add(1)
		return true
	case errors.Is(err, sojourn.ErrUnavailable):
		return false
	case err != nil:
		r.Errorf("opening a session: %v", err)
		return true
	case late:
		r.Errorf("a session was opened although its end had been acknowledged before")
		return false
	}

	ctx := r.carry(s)
	by := 1 + rand.Int64N(3)
	v.visits++
	value := v.visits
	if _, err = hits.Add(ctx, by); err == nil {
		_, err = sum.Update(ctx, func(n int64) (int64, error) { return n + by, nil })
	}
	if err == nil {
		err = last.Set(ctx, string(v.key))
	}
	if err == nil && rand.N(5) == 0 {
		value, err = 0, v.key.Delete(ctx)
	} else if err == nil {
		err = v.key.Set(ctx, value)
	}
	if err != nil {
		r.Errorf("writing members: %v", err)
		return true
	}
	switch rand.N(8) {
	case 0:
		time.Sleep(rand.N(500 * time.Microsecond)) // the handler works
	case 1:
		if err := s.Extend(ctx); err != nil && !errors.Is(err, sojourn.ErrUnavailable) && !isGone(err) {
			r.Errorf("Session.Extend: %v", err)
		}
	}
	late = t.ended.Load()
	err = s.Save(ctx)
	switch {
	case err == nil && late && !t.byOwner:
		r.Errorf("a commit was acknowledged although the end of the session had been before")
	case err == nil:
		r.acknowledged.Add(1)
		t.acked.Add(by)
		v.written, v.sure = value, true
		return false
	case errors.Is(err, sojourn.ErrUnavailable), errors.Is(err, sojourn.ErrNotFound):
		// Perhaps it was stored, and its answer was lost.
		t.unsure.Add(by)
		v.sure = false
		if errors.Is(err, sojourn.ErrNotFound) {
			if !t.mayEnd {
				r.Errorf("saving a live session: %v", err)
			}
			r.gone.Add(1)
			return true
		}
		r.unsure.Add(1)
		return false
	default:
		r.Errorf("Session.Save: %v", err)
	}
	return true
}

// verify compares a session with what was acknowledged.
func (r *rig) verify(t *target, s *sojourn.Session, visitors []*visitor) {
	r.Helper()
	ctx := r.carry(s)
	n, err := hits.Get(ctx)
	if err != nil {
		r.Fatalf("Counter.Get: %v", err)
	}
	acked, unsure := t.acked.Load(), t.unsure.Load()
	switch {
	case n < acked:
		r.Errorf("%d was acknowledged, the counter holds %d: %d lost", acked, n, acked-n)
	case n > acked+unsure:
		r.Errorf("%d was acknowledged and %d perhaps stored, the counter holds %d: %d doubled", acked, unsure, n, n-acked-unsure)
	}
	if both, err := sum.Get(ctx); err != nil || both != n {
		r.Errorf("two members that every commit changes alike hold %d and %d (error %v): a commit was stored by half", n, both, err)
	}
	for _, v := range visitors {
		if !v.sure || v.visits == 0 {
			continue
		}
		got, ok, err := v.key.Lookup(ctx)
		if err != nil || got != v.written || ok != (v.written != 0) {
			r.Errorf("%s holds %d (there: %v, error %v), its only writer was acknowledged %d", v.key, got, ok, err, v.written)
		}
	}
}
