package storetest

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/sojournhq/sojourn"
)

const opaque = "A store interprets nothing of it but the named fields; Payload is opaque."

var shapeCases = []testCase{
	{"PayloadsOfEverySize", "Record", opaque, payloadsOfEverySize},
	{"PayloadsOfEveryByte", "Record", opaque, payloadsOfEveryByte},
	{"PayloadsAreImmutable", "Record", "Payload is never changed in place by either side", payloadsAreImmutable},
	{"IDsOfEveryShape", "ID", "IDs of other formats have shapes of their own.", idsOfEveryShape},
	{"IDsByteForByte", "ID", "IDs of other formats have shapes of their own.", idsByteForByte},
	{"LongestOwner", "Record", "the user, \"\" for nobody", longestOwner},
	{"FarDeadlines", "Store", "It needs no clock and no knowledge of sessions: the core decides who is expired.", farDeadlines},
}

// payload stores p by Create and by Update, and reads it back by Load and by a conflict.
func (e *env) payload(p []byte) {
	e.Helper()
	r := newRecord(newOwner())
	r.Payload = p
	e.mustCreate(&r)
	e.samePayload("Load after Create", e.live(r.ID).Payload, p)
	r.Payload = []byte("something else")
	e.mustUpdate(&r)
	stale := r
	r.Payload = p
	e.mustUpdate(&r)
	e.samePayload("Load after Update", e.live(r.ID).Payload, p)
	current, err := e.store.Update(e.ctx, &stale)
	if !errors.Is(err, sojourn.ErrConflict) {
		e.Fatalf("Update at an old version: error %v, expected ErrConflict", err)
	}
	e.samePayload("the current record of a conflict", current.Payload, p)
}

func payloadsOfEverySize(e *env) {
	for _, size := range []int{0, 1, 2, 255, 256, 4095, 4096, 16 << 10, 64 << 10, 66 << 10} { // MaxRecord is 64 KiB by default
		e.payload(randomBytes(size))
	}
	e.payload(nil)
}

func payloadsOfEveryByte(e *env) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	e.payload(all)
	for _, s := range []string{"\x00", "\x00\x00", "\n", "\r\nEND\r\n", "'; --", `\x41\\`, "\xff\xfe\x80", "{}", "null", " ", "\x1f\x8b"} {
		e.payload([]byte(s))
	}
	slices.Reverse(all)
	e.payload(all)
}

// payloadsAreImmutable keeps copies of every slice that crossed the border.
func payloadsAreImmutable(e *env) {
	type held struct {
		where      string
		slice, was []byte
	}
	var all []held
	hold := func(where string, p []byte) []byte {
		all = append(all, held{where, p, bytes.Clone(p)})
		return p
	}
	r := newRecord(newOwner())
	r.Payload = hold("given to Create", randomBytes(200))
	e.mustCreate(&r)
	loaded := e.live(r.ID)
	hold("returned by Load", loaded.Payload)
	stale := r
	r.Payload = hold("given to Update", randomBytes(200))
	e.mustUpdate(&r)
	stale.Payload = hold("given to a conflicting Update", randomBytes(200))
	current, err := e.store.Update(e.ctx, &stale)
	if !errors.Is(err, sojourn.ErrConflict) {
		e.Fatalf("Update at an old version: error %v, expected ErrConflict", err)
	}
	hold("returned by a conflict", current.Payload)
	e.mustTouch(r, in(2*time.Hour))
	r.Payload = hold("given to a second Update", randomBytes(200))
	e.mustUpdate(&r)
	e.revoke(r, sojourn.ReasonLogout)
	hold("returned with a tombstone", e.dead(r.ID).Payload)
	e.revokeOwner(r.Owner)
	for _, h := range all {
		if !bytes.Equal(h.slice, h.was) {
			e.Errorf("the payload %s was changed in place from %s to %s", h.where, brief(h.was), brief(h.slice))
		}
	}
}

// life takes an ID through everything a session meets.
func (e *env) life(id sojourn.ID) {
	e.Helper()
	e.absent(id)
	r := newRecord(newOwner())
	r.ID = id
	e.mustCreate(&r)
	e.same("Load", e.live(id), r)
	r.Payload = []byte("changed")
	e.mustUpdate(&r)
	r.Expires = in(2 * time.Hour)
	e.mustTouch(r, r.Expires)
	e.same("Load after Update and Touch", e.live(id), r)
	if ids, err := e.store.List(e.ctx, r.Owner); err == nil && !slices.Contains(ids, id) {
		e.Errorf("List lacks %q: it holds %q", id, ids)
	}
	want := e.revoke(r, sojourn.ReasonLogout)
	e.same("the tombstone", e.dead(id), want)
}

// idsOfEveryShape uses 6 to 128 bytes of printable ASCII without spaces: the
// shapes that formats may produce.
func idsOfEveryShape(e *env) {
	n := randomHex(6)
	for _, id := range []string{
		randomHex(3), // shorter than an owner tag
		"sess:" + n + ".DEF-123", n + strings.Repeat("y", 128-len(n)), "s%3A" + n + "%2F", n + ",-", "{" + n + "}", "}" + n + "{",
		n + "*?[a]", n + "%_", n + `'"\;--`, "../" + n + "/..", n + "==", n + "+/", n + "#&|<>$`~^!@()",
	} {
		e.life(sojourn.ID(id))
	}
}

// idsByteForByte has IDs that differ in case, in the last of many bytes, or in length.
func idsByteForByte(e *env) {
	n := "id" + randomHex(6)
	long := n + strings.Repeat("z", 127-len(n))
	ids := []string{n + "a", n + "A", n + "_", n + "%", n + "aa", n, strings.ToUpper(n), long + "a", long + "b"}
	owner := newOwner()
	records := make([]sojourn.Record, len(ids))
	for i, id := range ids {
		records[i] = newRecord(owner)
		records[i].ID = sojourn.ID(id)
		e.mustCreate(&records[i])
	}
	for i, r := range records {
		e.same("Load of "+ids[i], e.live(r.ID), r)
	}
	e.revoke(records[0], sojourn.ReasonLogout)
	e.dead(records[0].ID)
	for i, r := range records[1:] {
		e.same("Load of "+ids[i+1]+" after "+ids[0]+" was revoked", e.live(r.ID), r)
	}
}

// longestOwner has 255 bytes, some of them not ASCII.
func longestOwner(e *env) {
	owner := randomHex(8) + strings.Repeat("界", 79) + "!!"
	if len(owner) != 255 {
		e.Fatalf("the owner has %d bytes", len(owner))
	}
	r := e.create(owner)
	e.same("Load", e.live(r.ID), r)
	now := e.revokeOwner(owner)
	e.generations("Load after RevokeOwner", e.live(r.ID), r.Generation, now)
	if ids, err := e.store.List(e.ctx, owner); err == nil && !slices.Contains(ids, r.ID) {
		e.Errorf("List lacks the session of an owner of 255 bytes")
	}
}

// farDeadlines goes up to 400 days, the longest policy there is.
func farDeadlines(e *env) {
	const day = 24 * time.Hour
	for _, life := range []time.Duration{25 * day, 29 * day, 31 * day, 400 * day} {
		r := newRecord(newOwner())
		r.Expires = in(life)
		e.mustCreate(&r)
		e.same("Load after Create", e.live(r.ID), r)
		r.Expires = in(life - time.Hour)
		e.mustUpdate(&r)
		e.same("Load after Update", e.live(r.ID), r)
		r.Expires = in(life)
		e.mustTouch(r, r.Expires)
		e.same("Load after Touch", e.live(r.ID), r)
	}
}
