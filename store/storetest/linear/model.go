package linear

import (
	"fmt"
	"hash/maphash"

	"github.com/anishathalye/porcupine"
)

// records is how many sessions the user of a history has.
const records = 2

// A write names who made what a record holds: the number of an operation, or 0
// for nobody. A version is nothing but a name for it that the store chooses, so
// the model has no versions: an Update that gives the version of write 7 succeeds
// if and only if the record holds write 7. That each has its own version, and no
// two of a record the same, is checked beside the model.
type write int

// state is all that a store knows of a history's user. It is compared with ==.
type state struct {
	generation generation
	sessions   [records]session
}

type session struct {
	holds      write // 0: there is none
	dead       bool
	expires    int64 // Unix milliseconds
	generation generation
	hidden     bool // a client was shown the tombstone of a lost Revoke: never live again
}

// A generation is known, or known to be at least this: where one is raised for a
// client who hung up, nobody learns by how much, until the next one looks.
type generation struct {
	n     uint64
	exact bool
}

func (g generation) allows(seen uint64) bool { return seen == g.n || !g.exact && seen > g.n }

type kind string

const (
	create      kind = "create"
	load        kind = "load"
	update      kind = "update" // keeps the deadline
	rotate      kind = "rotate" // replaces the deadline, too, and joins the newest generation the client knows
	end         kind = "end"    // an Update with a dead record
	touch       kind = "touch"
	revoke      kind = "revoke"
	list        kind = "list"
	revokeOwner kind = "revokeOwner"

	// Where a store is let off reading a generation together with the record, it
	// reads it as an operation of its own during the same call.
	readGeneration kind = "read generation"
)

// A call is what a client asks for.
type call struct {
	kind       kind
	session    int
	base       write  // update, rotate, end: what the client's record holds
	writes     write  // what the record holds afterwards
	expires    int64  // 0: keep
	generation uint64 // update, rotate, end: to be written
	apart      bool   // the generation told was read apart, see readGeneration
}

type verdict string

const (
	done     verdict = "done"
	exists   verdict = "exists"
	conflict verdict = "conflict"
	notFound verdict = "notFound"
	lost     verdict = "lost" // the client hung up, or the store failed
)

// An answer is what a client was told.
type answer struct {
	verdict verdict
	seen    session // load and what failed; generation is exact
	owners  uint64  // the owner's generation, where one was told
	listed  [records]bool
	known   bool // seen is the tombstone of a lost Revoke, see Options.KnownEnds
}

var seed = maphash.MakeSeed()

// model is the contract of sojourn.Store as a sequential program.
var model = porcupine.Model{
	Init: func() any { return state{} }, // a generation may begin anywhere: at least 0
	Step: func(s, in, out any) (bool, any) {
		ok, next := s.(state).step(in.(call), out.(answer))
		return ok, next
	},
	Hash:              func(s any) uint64 { return maphash.Comparable(seed, s.(state)) },
	DescribeOperation: func(in, out any) string { return fmt.Sprintf("%v → %v", in, out) },
}

// step is one operation done at one moment: whether it can have had that answer,
// and what is then. An operation whose answer was lost is one that nobody waits
// for: it may be done after all others, which is as good as never.
func (s state) step(c call, a answer) (bool, state) {
	r := &s.sessions[c.session]
	live := r.holds != 0 && !r.dead
	told := a.verdict != lost
	switch c.kind {
	case load:
		if live != (a.verdict == done) && !a.known {
			return false, s
		}
		return s.shows(c, a), s

	case create:
		if (r.holds == 0) != (a.verdict == done) && told {
			return false, s
		}
		if r.holds != 0 {
			return true, s
		}
		stamp := s.generation
		if c.apart {
			stamp = generation{} // any
		}
		if told {
			if c.apart { // before it, see readGeneration
				if s.generation.exact && a.owners > s.generation.n {
					return false, s
				}
				s.generation.n = max(s.generation.n, a.owners)
			} else if !s.tells(a.owners) {
				return false, s
			}
			stamp = generation{a.owners, true}
		}
		*r = session{holds: c.writes, expires: c.expires, generation: stamp, hidden: r.hidden}

	case update, rotate, end:
		want := done
		switch {
		case !live:
			want = notFound
		case r.holds != c.base:
			want = conflict
		}
		if a.known {
			r.hidden = true
			return a.verdict == notFound, s
		}
		if told && a.verdict != want {
			return false, s
		}
		if want != done {
			return !told || s.shows(c, a), s
		}
		if told && r.hidden {
			return false, s
		}
		r.holds, r.dead, r.generation = c.writes, c.kind == end, generation{c.generation, true}
		if c.expires != 0 {
			r.expires = c.expires
		}

	case touch:
		if live {
			r.expires = max(r.expires, c.expires)
		}

	case revoke:
		if live {
			r.holds, r.dead, r.expires = c.writes, true, c.expires
		}

	case revokeOwner:
		if !told {
			s.generation = generation{n: s.generation.n + 1}
			break
		}
		if a.owners <= s.generation.n {
			return false, s
		}
		s.generation = generation{a.owners, true}

	case readGeneration:
		return s.tells(a.owners), s

	case list: // it may hold some that have ended
		for i, r := range s.sessions {
			if r.holds != 0 && !r.dead && r.generation.exact && s.generation.exact && r.generation.n >= s.generation.n && !a.listed[i] {
				return false, s
			}
		}
	}
	return true, s
}

// shows reports whether a client can have seen that session, and notes what is
// known now of generations.
func (s *state) shows(c call, a answer) bool {
	r := &s.sessions[c.session]
	if a.known {
		r.hidden = true
		return true
	}
	if a.seen.holds != 0 && !a.seen.dead && r.hidden {
		return false
	}
	if a.seen.holds != r.holds || a.seen.dead != r.dead {
		return false
	}
	if r.holds == 0 {
		return true
	}
	if a.seen.expires != r.expires {
		return false
	}
	if r.dead { // what generation it was of is nobody's business
		return true
	}
	if !r.generation.allows(a.seen.generation.n) {
		return false
	}
	r.generation = generation{a.seen.generation.n, true}
	if c.apart { // after it, see readGeneration
		return a.owners >= s.generation.n
	}
	return s.tells(a.owners)
}

// tells reports whether the owner's generation can be that one, and notes it.
func (s *state) tells(owners uint64) bool {
	if !s.generation.allows(owners) {
		return false
	}
	s.generation = generation{owners, true}
	return true
}
