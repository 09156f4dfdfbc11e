package movestore

import (
	"context"
	"errors"

	"github.com/sojournhq/sojourn"
)

// The way of a session, one write each:
//
//	           old store    new store
//	           live         absent      the old store's word counts
//	  claim    moving       absent      by version: writes of others are before it or refused
//	  copy     moving       arriving    stamped with the owner's generation of the new store
//	  (look)                            has it been revoked in the old store meanwhile?
//	  finish   moving       live        the new store's word counts
//	  forget   gone         live
//
// Each step is a compare-and-set or a Create, so that any number of processes can
// take it and one of them does; whoever meets a session half-way goes on where the
// other ended. What counts is never on both sides:
//
//   - Revoke ends the old record, then the new one. Before the look, the look sees
//     it and nothing is finished; after it, there is a copy to be ended.
//   - RevokeOwner raises the old generation, then the new one. Before the look, the
//     record in the old store is outdated; after it, the copy's stamp is.
//   - A write that arrives late meets another version.
//   - A copy whose original has gone, with its tombstone, is not finished either.
//
// Everything settle can meet (– keeps as it is):
//
//	new \ old   absent    ended      live     moving    gone      arriving
//	absent      none      –          claim    copy      none      none
//	ended       –         –          end old  end old   –         –
//	live        –         end new    forget   forget    –         forget
//	arriving    end new   end new    claim    finish    finish    end new
//	moving      restore   end new    claim    copy      restore   restore
//	gone        none      end new    claim    copy      none      none
//
// The last two rows and the last column are left over from a move the other way;
// "forget" of a live old record is for engines that lost a claim in a failover. An
// outdated old record, live or moving, is ended unless the new one is live.

// steps bounds the writes and refused writes of one settle. Others who settle the
// same session at the same time refuse one now and then.
const steps = 64

var errCrowded = errors.New("many others carry this session at the same time")

// settle carries the session over if that is still to be done, and returns what
// counts: its record of the new store, or ErrNotFound, with the tombstone if
// there is one. carried reports that this call finished the carrying.
func (s *Store) settle(ctx context.Context, id sojourn.ID) (r sojourn.Record, carried bool, err error) {
	t, f, err := s.lookBoth(ctx, id)
	if err != nil {
		return r, false, err
	}
	if t.kind == arriving || t.kind == moving || f.kind == gone && t.kind != live && t.kind != ended {
		// Two looks at the same time do not tell which was first.
		if t, f, err = s.lookAgain(ctx, id); err != nil {
			return r, false, err
		}
	}
	for range steps {
		switch s.next(&t, &f) {
		case none:
			return r, carried, sojourn.ErrNotFound
		case keep:
			return answer(&t, &f, carried)
		case claim:
			if err = s.claim(ctx, &f); err == nil {
				err = s.lookOld(ctx, id, &t, &f) // its deadline may have been moved meanwhile
			}
		case copyOver:
			if err = s.copy(ctx, &t, &f); err == nil {
				err = s.lookOld(ctx, id, &t, &f) // the look
			}
		case finish:
			if err = s.finish(ctx, &t, &f); err == nil {
				carried = true
				if f.kind != gone {
					err = s.forget(ctx, &f)
				}
			}
		case restore:
			err = s.finish(ctx, &t, &f)
		case forget:
			err = s.forget(ctx, &f)
		case endNew:
			err = s.end(ctx, s.to, &t, &f)
		case endOld:
			err = s.end(ctx, s.from, &f, &t)
		}
		switch {
		case err == nil:
		case overtaken(err):
			if t, f, err = s.lookAgain(ctx, id); err != nil {
				return r, carried, err
			}
		default:
			return sojourn.Record{}, carried, err
		}
	}
	return sojourn.Record{}, carried, errCrowded
}

// A step is one square of the table above.
type step int

const (
	keep step = iota
	none
	claim
	copyOver
	finish
	restore
	forget
	endNew
	endOld
)

func (s *Store) next(t, f *sight) step {
	switch t.kind {
	case live:
		switch f.kind {
		case absent, gone:
			return keep
		case ended:
			return endNew
		}
		return forget
	case ended:
		if f.kind == live || f.kind == moving {
			return endOld
		}
		return keep
	}
	switch f.kind {
	case ended:
		if t.kind == absent {
			return keep
		}
		return endNew
	case live, moving:
		switch {
		case f.outdated():
			return endOld
		case f.kind == live:
			return claim
		case t.kind == arriving:
			return finish
		}
		return copyOver
	}
	switch {
	case t.kind == moving:
		return restore
	case t.kind == arriving && f.kind == gone:
		return finish
	case t.kind == arriving:
		return endNew
	}
	return none
}

// answer is what a Load returns of a session that needs no more steps.
func answer(t, f *sight, carried bool) (sojourn.Record, bool, error) {
	switch {
	case t.kind == live:
		return t.Record, carried, nil
	case t.kind == ended:
		return t.Record, carried, sojourn.ErrNotFound
	}
	return f.Record, carried, sojourn.ErrNotFound
}

// lookBoth looks at both stores at the same time.
func (s *Store) lookBoth(ctx context.Context, id sojourn.ID) (t, f sight, err error) {
	var old error
	done := make(chan struct{})
	go func() {
		defer close(done)
		f, old = look(ctx, s.from, id)
	}()
	t, err = look(ctx, s.to, id)
	<-done
	return t, f, errors.Join(err, old)
}

// lookAgain looks at the new store, then at the old one, so that a copy is never
// finished on an older look.
func (s *Store) lookAgain(ctx context.Context, id sojourn.ID) (t, f sight, err error) {
	if t, err = look(ctx, s.to, id); err == nil {
		err = s.lookOld(ctx, id, &t, &f)
	}
	return t, f, err
}

// lookOld looks at the old store. If the session turns out to have left it, a look
// at the new one that does not show it was too early.
func (s *Store) lookOld(ctx context.Context, id sojourn.ID, t, f *sight) (err error) {
	if *f, err = look(ctx, s.from, id); err == nil && f.kind == gone && t.kind != live {
		*t, err = look(ctx, s.to, id)
	}
	return err
}

// overtaken reports that another process has taken the step, or a better one.
func overtaken(err error) bool {
	return errors.Is(err, sojourn.ErrConflict) || errors.Is(err, sojourn.ErrNotFound) || errors.Is(err, sojourn.ErrExists)
}
