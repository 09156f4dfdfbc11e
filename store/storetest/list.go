package storetest

import (
	"slices"
	"time"

	"github.com/sojournhq/sojourn"
)

var listCases = []testCase{
	{"ListHoldsEveryLiveOne", "List", "List returns the IDs of the owner's records that may be live, in any order; it may return some that are not.", listHoldsEveryLiveOne},
	{"ListNobody", "List", "The empty owner has no list: it returns none.", listNobody},
	{"ListFollowsCreate", "List", "List returns the IDs of the owner's records that may be live", listFollowsCreate},
}

func listHoldsEveryLiveOne(e *env) {
	owner, other := newOwner(), newOwner()
	if held := e.list(owner); len(held) != 0 {
		e.Errorf("List of an owner without records returned %d IDs", len(held))
	}
	mine := map[sojourn.ID]bool{}
	var theirs []sojourn.ID
	for i := range 40 {
		r := e.create(owner)
		mine[r.ID] = true
		switch i % 5 {
		case 1:
			r.Payload = []byte("changed")
			e.mustUpdate(&r)
		case 2:
			e.mustTouch(r, in(9*time.Hour))
		case 3:
			e.revoke(r, sojourn.ReasonLogout)
			mine[r.ID] = false
		case 4:
			theirs = append(theirs, e.create(other).ID)
		}
	}
	held := e.list(owner)
	for id, live := range mine {
		if live && !held[id] {
			e.Errorf("List lacks %q, which is live", id)
		}
	}
	for id := range held {
		if _, ok := mine[id]; !ok {
			e.Errorf("List holds %q, which is not of that owner", id)
		}
	}
	held = e.list(other)
	for _, id := range theirs {
		if !held[id] {
			e.Errorf("List of the other owner lacks %q, which is live", id)
		}
	}
	if len(held) != len(theirs) {
		e.Errorf("List of the other owner holds %d IDs, expected %d", len(held), len(theirs))
	}
}

func listNobody(e *env) {
	e.create("")
	if held := e.list(""); len(held) != 0 {
		e.Errorf("List of the empty owner returned %d IDs, expected none", len(held))
	}
}

// listFollowsCreate adds sessions in parallel: each is listed once its Create has answered.
func listFollowsCreate(e *env) {
	owner := newOwner()
	e.list(owner) // skips if there are no lists
	parallel(6, func(int) {
		for range e.rounds(12) {
			r := newRecord(owner)
			if err := e.store.Create(e.ctx, &r); err != nil {
				e.Errorf("Create: %v", err)
				return
			}
			ids, err := e.store.List(e.ctx, owner)
			if err != nil {
				e.Errorf("List: %v", err)
				return
			}
			if !slices.Contains(ids, r.ID) {
				e.Errorf("List right after Create lacks the new record")
				return
			}
		}
	})
}
