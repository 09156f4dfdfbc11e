package linear

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"github.com/sojournhq/sojourn"
)

// A client asks for one thing after another.
type client struct {
	*history
	number int
	store  sojourn.Store
	rng    *rand.Rand
	knows  [records]sojourn.Record // as it last saw or wrote them
	took   time.Duration           // the last answer
}

// weights are how often clients ask for what. Ends are rare: nothing comes after.
var weights = []struct {
	kind kind
	n    int
}{{load, 24}, {update, 30}, {rotate, 12}, {touch, 12}, {create, 8}, {list, 5}, {revokeOwner, 5}, {revoke, 2}, {end, 2}}

func (c *client) choose() kind {
	n := 0
	for _, w := range weights {
		n += w.n
	}
	n = c.rng.IntN(n)
	for _, w := range weights {
		if n -= w.n; n < 0 {
			return w.kind
		}
	}
	panic("unreachable")
}

// in is a deadline that never passes in a test, in whole milliseconds.
func (c *client) in() time.Time {
	return c.began.Add(time.Hour + time.Duration(c.rng.IntN(3600_000))*time.Millisecond).Truncate(time.Millisecond)
}

// next does one thing and records it.
func (c *client) next(parent context.Context) {
	ctx, cancel := context.WithCancel(parent)
	defer cancel()
	if c.rng.Float64() < c.hangUps {
		if wait := time.Duration(c.rng.Int64N(int64(2*c.took + 1))); wait < time.Microsecond {
			cancel()
		} else {
			defer time.AfterFunc(wait, cancel).Stop()
		}
	}
	e := event{client: c.number, call: call{kind: c.choose(), session: c.rng.IntN(records)}}
	known := &c.knows[e.call.session]
	if known.ID == "" { // nothing is known of it yet
		switch e.call.kind {
		case update, rotate, end:
			e.call.kind = [...]kind{load, create, update}[c.rng.IntN(3)] // an update as of one that came late
		}
	}
	if c.rng.IntN(4) == 0 {
		runtime.Gosched() // so that clients of a store in memory meet
	}
	e.called = time.Since(c.began)
	c.ask(ctx, &e, known)
	e.ended = time.Since(c.began)
	c.took = e.ended - e.called
	c.record(e)
}

func (c *client) ask(ctx context.Context, e *event, known *sojourn.Record) {
	id := c.ids[e.call.session]
	switch e.call.kind {
	case create:
		r := sojourn.Record{ID: id, Owner: c.owner, Expires: c.in()}
		e.call.writes, r.Payload = c.newWrite()
		e.call.expires = r.Expires.UnixMilli()
		err := c.store.Create(ctx, &r)
		e.answer.verdict = verdictOf(err)
		if err == nil {
			e.answer.owners = r.OwnerGeneration
			if r.Generation != r.OwnerGeneration {
				c.fail("create: the record is of generation %d, its owner's is %d", r.Generation, r.OwnerGeneration)
			}
			e.tell(e.call.writes, r.Version)
			*known = r
		}

	case load:
		r, err := c.store.Load(ctx, id)
		if r.Cached { // it says itself that there may be a newer one
			r, err = sojourn.Record{}, sojourn.ErrUnavailable
		}
		e.answer.verdict = verdictOf(err)
		c.see(e, r, known)

	case update, rotate, end:
		r := *known
		if r.ID == "" {
			r = sojourn.Record{ID: id, Owner: c.owner, Version: c.rng.Uint64() | 1<<62} // nobody's
		}
		r.Dead = e.call.kind == end
		e.call.base, _ = c.holds(known.Payload)
		e.call.writes, r.Payload = c.newWrite()
		r.Expires = time.Time{}
		if e.call.kind != update {
			r.Expires = c.in()
			e.call.expires = r.Expires.UnixMilli()
		}
		if e.call.kind == rotate {
			r.Generation = max(r.Generation, r.OwnerGeneration)
		}
		e.call.generation = r.Generation
		current, err := c.store.Update(ctx, &r)
		if e.answer.verdict = verdictOf(err); err != nil {
			c.see(e, current, known)
			return
		}
		e.tell(e.call.writes, r.Version)
		*known = r

	case touch:
		r, expires := *known, c.in()
		r.ID, r.Owner = id, c.owner
		e.call.expires = expires.UnixMilli()
		e.answer.verdict = verdictOf(c.store.Touch(ctx, &r, expires))

	case revoke:
		r := sojourn.RevokedRecord{ID: id, Owner: c.owner, Reason: sojourn.ReasonLogout, At: c.began.Truncate(time.Millisecond), Until: c.in()}
		e.call.writes = c.newTombstone(&r)
		e.call.expires = r.Until.UnixMilli()
		e.answer.verdict = verdictOf(c.store.Revoke(ctx, r))

	case list:
		ids, err := c.store.List(ctx, c.owner)
		if e.answer.verdict = verdictOf(err); err == nil {
			for i, id := range c.ids {
				e.answer.listed[i] = slices.Contains(ids, id)
			}
		}

	case revokeOwner:
		g, err := c.store.RevokeOwner(ctx, c.owner)
		if e.answer.verdict = verdictOf(err); err == nil {
			e.answer.owners = g
		}
	}
	switch e.call.kind {
	case touch, revoke, list, revokeOwner:
		if v := e.answer.verdict; v != done && v != lost {
			c.fail("%v is answered %s", e.call, v)
		}
	}
}

// see notes a record that the store showed, beside its verdict.
func (c *client) see(e *event, r sojourn.Record, known *sojourn.Record) {
	switch {
	case e.answer.verdict == lost:
		return
	case e.answer.verdict == notFound && !r.Dead:
		if r.ID != "" {
			c.fail("%v: not found, and yet live: %+v", e.call, r)
		}
		return
	}
	w, ok := c.holds(r.Payload)
	if !ok || r.ID != c.ids[e.call.session] || r.Owner != c.owner {
		c.fail("%v: nobody wrote the record it shows: %+v", e.call, r)
		return
	}
	e.answer.seen = session{holds: w, dead: r.Dead, expires: r.Expires.UnixMilli(), generation: generation{r.Generation, true}}
	if !r.Dead {
		e.answer.owners = r.OwnerGeneration
	}
	e.tell(w, r.Version)
	*known = r
}

// tell notes that a write has that version.
func (e *event) tell(w write, version uint64) {
	e.known, e.knownOf, e.version = w, e.call.session, version
}

// verdictOf sorts errors: what is no fact is taken as no answer. So is an engine
// without lists.
func verdictOf(err error) verdict {
	switch {
	case err == nil:
		return done
	case errors.Is(err, sojourn.ErrNotFound):
		return notFound
	case errors.Is(err, sojourn.ErrConflict):
		return conflict
	case errors.Is(err, sojourn.ErrExists):
		return exists
	}
	return lost
}
