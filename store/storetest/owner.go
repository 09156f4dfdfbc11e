package storetest

import (
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sojournhq/sojourn"
)

const generationRule = "RevokeOwner raises the owner's generation by at least one and returns the new one: every record of an older generation is dead from now on."

var ownerCases = []testCase{
	{"RevokeOwnerRaises", "RevokeOwner", generationRule, revokeOwnerRaises},
	{"RevokeOwnerUnknown", "RevokeOwner", generationRule, revokeOwnerUnknown},
	{"RevokeOwnerInParallel", "RevokeOwner", generationRule, revokeOwnerInParallel},
	{"RevokeOwnerRacesCreate", "Create", "the generation is the owner's at that moment, so that a RevokeOwner before or after it is either seen or kills the record.", revokeOwnerRacesCreate},
	{"RevokeOwnerReachesEveryID", "RevokeOwner", "every record of an older generation is dead from now on.", revokeOwnerReachesEveryID},
	{"OwnersNeverMix", "RevokeOwner", generationRule, ownersNeverMix},
	{"OwnersOfOneTag", "RevokeOwner", generationRule, ownersOfOneTag},
	{"OwnersByteForByte", "RevokeOwner", generationRule, ownersByteForByte},
}

func revokeOwnerRaises(e *env) {
	owner := newOwner()
	old := e.create(owner)
	last := old.OwnerGeneration
	for range 3 {
		now := e.revokeOwner(owner)
		if now <= last {
			e.Fatalf("RevokeOwner returned generation %d after %d, expected more", now, last)
		}
		got := e.live(old.ID)
		e.same("Load of a record of an older generation", got, old)
		e.sameVersion("Load of a record of an older generation", got, old)
		e.generations("Load of a record of an older generation", got, old.Generation, now)
		next := e.create(owner)
		e.generations("Create after RevokeOwner", next, now, now)
		e.generations("Load of a record created after RevokeOwner", e.live(next.ID), now, now)
		last = now
	}
}

func revokeOwnerUnknown(e *env) {
	owner := newOwner()
	now := e.revokeOwner(owner)
	e.generations("Create for an owner revoked before", e.create(owner), now, now)
}

// revokeOwnerInParallel would also see a raise that writes an older number over
// a newer one, and so brings revoked sessions back.
func revokeOwnerInParallel(e *env) {
	for range e.rounds(8) {
		owner := newOwner()
		r := e.create(owner)
		const n = 8
		got := make([]uint64, n)
		parallel(n, func(i int) {
			var err error
			if got[i], err = e.store.RevokeOwner(e.ctx, owner); err != nil {
				e.Errorf("RevokeOwner in parallel: %v", err)
			}
		})
		slices.Sort(got)
		if len(slices.Compact(slices.Clone(got))) != n {
			e.Errorf("parallel RevokeOwners returned %v: two of them raised to the same generation", got)
		}
		e.generations("Load", e.live(r.ID), r.Generation, slices.Max(got))
	}
}

// revokeOwnerRacesCreate orders every Create against a RevokeOwner: done before it
// began, begun after it was done, or under way at the same time.
func revokeOwnerRacesCreate(e *env) {
	for range e.rounds(30) {
		owner := newOwner()
		const before, during, after = 0, 1, 2
		var phase atomic.Int32 // before: not begun, during: begun, after: answered
		type login struct {
			r          sojourn.Record
			begun, end int32
		}
		logins := make([][]login, 4)
		var generation uint64
		parallel(len(logins)+1, func(i int) {
			if i == len(logins) {
				time.Sleep(rand.N(300 * time.Microsecond))
				phase.Store(during)
				var err error
				if generation, err = e.store.RevokeOwner(e.ctx, owner); err != nil {
					e.Errorf("RevokeOwner racing Create: %v", err)
				}
				phase.Store(after)
				return
			}
			for rest := 2; rest > 0; {
				l := login{r: newRecord(owner), begun: phase.Load()}
				if err := e.store.Create(e.ctx, &l.r); err != nil {
					e.Errorf("Create racing RevokeOwner: %v", err)
					return
				}
				l.end = phase.Load()
				logins[i] = append(logins[i], l)
				if l.begun == after {
					rest--
				}
				if len(logins[i]) > 50 { // RevokeOwner is slow to begin: do not fill the store meanwhile
					time.Sleep(100 * time.Microsecond)
				}
			}
		})
		for _, l := range slices.Concat(logins...) {
			got := e.live(l.r.ID)
			e.generations("Load", got, l.r.Generation, generation)
			switch {
			case l.end == before && got.Generation >= generation:
				e.Errorf("a record created before RevokeOwner survives it: %v", show(got))
			case l.begun == after && got.Generation < generation:
				e.Errorf("a record created after RevokeOwner is dead: %v", show(got))
			}
		}
	}
}

// revokeOwnerReachesEveryID revokes records whose IDs do not begin with the hash
// of their owner: those of other formats, and of managers with an OwnerKey.
func revokeOwnerReachesEveryID(e *env) {
	owner := newOwner()
	for _, id := range []sojourn.ID{newID(""), newID(newOwner()), sojourn.ID("sess:" + randomHex(12))} {
		r := newRecord(owner)
		r.ID = id
		e.mustCreate(&r)
		now := e.revokeOwner(owner)
		e.generations("Load of ID "+string(id), e.live(id), r.Generation, now)
		next := newRecord(owner)
		next.ID = id[:len(id)-4] + sojourn.ID(randomHex(2))
		e.mustCreate(&next)
		e.generations("Create of an ID like "+string(id), next, now, now)
		if ids, err := e.store.List(e.ctx, owner); err == nil && !slices.Contains(ids, id) {
			e.Errorf("List lacks %q, whose ID does not begin with its owner's tag", id)
		}
	}
}

func ownersNeverMix(e *env) { e.distinct([]string{newOwner(), newOwner(), newOwner()}) }

// oneTag are pairs of owners whose IDs begin with the same eight characters:
// SHA-256 of "sojourn owner\x00" and the owner agrees in its first six bytes.
// They were found by hashing 80 million names.
var oneTag = [][2]string{
	{"user-12237839", "user-42447841"}, {"user-26729846", "user-28002139"}, {"user-58174517", "user-67772197"},
	{"user-8353596", "user-49715429"}, {"user-22456865", "user-46980664"}, {"user-43006557", "user-45015777"},
	{"user-13342056", "user-17014215"}, {"user-8373718", "user-56423093"}, {"user-48041475", "user-73750248"},
	{"user-30261981", "user-74779129"}, {"user-24754813", "user-74384233"}, {"user-2695650", "user-71246993"},
	{"user-30476604", "user-31058694"},
}

// ownersOfOneTag draws its pair: the names cannot be fresh, and another run may
// share the server.
func ownersOfOneTag(e *env) {
	pair := oneTag[rand.N(len(oneTag))]
	if a, b := newID(pair[0]), newID(pair[1]); a[:8] != b[:8] {
		e.Fatalf("%q and %q were expected to share a tag", pair[0], pair[1])
	}
	e.distinct(pair[:])
}

// ownersByteForByte uses names that engines are apt to fold together, to cut
// short, or to read as syntax.
func ownersByteForByte(e *env) {
	n := randomHex(6)
	long := n + strings.Repeat("x", 254-len(n))
	e.distinct([]string{
		n + "alice", n + "Alice", n + "alice ", " " + n + "alice", n + "alice\t", n + "aliçe", n + "alic\u0327e",
		n, n + ":", n + ":1", n + "{a}", n + "}", n + "*", n + "%", n + "_", n + "'", n + `"`, n + `\`, n + "\n", n + "/..",
		n + "ß", n + "ss", n + "世界", n + "\U0001F511", long + "a", long + "b",
	})
}

// distinct gives each owner a session and revokes them one after the other.
func (e *env) distinct(owners []string) {
	e.Helper()
	records := make([]sojourn.Record, len(owners))
	for i, owner := range owners {
		records[i] = e.create(owner)
		if got := e.live(records[i].ID); got.Owner != owner {
			e.Errorf("owner %q came back as %q", owner, got.Owner)
		}
	}
	now := make([]uint64, len(owners))
	for i, r := range records {
		now[i] = r.OwnerGeneration
	}
	for i, owner := range owners {
		now[i] = e.revokeOwner(owner)
		for j, r := range records {
			got := e.live(r.ID)
			if got.OwnerGeneration != now[j] {
				e.Errorf("after RevokeOwner of %q, OwnerGeneration of %q is %d, expected %d", owner, owners[j], got.OwnerGeneration, now[j])
			}
			if got.Generation != r.Generation {
				e.Errorf("after RevokeOwner of %q, Generation of %q is %d, expected %d", owner, owners[j], got.Generation, r.Generation)
			}
		}
	}
	for i, owner := range owners {
		ids, err := e.store.List(e.ctx, owner)
		for j, r := range records {
			if held := slices.Contains(ids, r.ID); err == nil && held != (i == j) {
				e.Errorf("List of %q: holding the session of %q is %v", owner, owners[j], held)
			}
		}
	}
}
