package seal_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/seal"
)

func TestTamperingOfEveryBit(t *testing.T) {
	h := newHostile()
	s := newStore(t, h, newRing(t, seal.GenerateKey()))
	r := create(t, s, "ada", "what she keeps")
	sealed := len(h.written[0].Payload)
	if sealed != len(r.Payload)+seal.Overhead {
		t.Errorf("%d bytes are sealed in %d", len(r.Payload), sealed)
	}
	for i := range sealed {
		for bit := range 8 {
			h.change = func(r *sojourn.Record) { r.Payload[i] ^= 1 << bit }
			got, err := s.Load(t.Context(), r.ID)
			want := seal.ErrForged
			switch {
			case i == 0:
				want = seal.ErrUnsealed
			case i < 6:
				want = seal.ErrUnknownKey
			}
			unreadable(t, "a changed record", got, err, want)
		}
	}
	for n := range sealed {
		h.change = func(r *sojourn.Record) { r.Payload = r.Payload[:n] }
		got, err := s.Load(t.Context(), r.ID)
		want := seal.ErrForged
		if n < seal.Overhead {
			want = seal.ErrUnsealed
		}
		unreadable(t, "a truncated record", got, err, want)
	}
	h.change = func(r *sojourn.Record) { r.Payload = append(r.Payload, 0) }
	got, err := s.Load(t.Context(), r.ID)
	unreadable(t, "an extended record", got, err, seal.ErrForged)
	h.change = func(r *sojourn.Record) { r.Payload = []byte("plain") }
	got, err = s.Load(t.Context(), r.ID)
	unreadable(t, "a record without a seal", got, err, seal.ErrUnsealed)

	stale := r
	stale.Version += 100
	h.change = func(r *sojourn.Record) { r.Payload[40] ^= 1 }
	got, err = s.Update(t.Context(), &stale)
	unreadable(t, "the current record of a conflict", got, err, seal.ErrForged)

	h.change = nil
	if got, err = s.Load(t.Context(), r.ID); err != nil || !bytes.Equal(got.Payload, r.Payload) {
		t.Errorf("untouched: %q, %v", got.Payload, err)
	}
	if n := s.Stats(); n.Forged < 100 || n.UnknownKey != 5*8 || n.Unsealed == 0 {
		t.Errorf("counts: %+v", n)
	}
}

// Records of one key open for their own ID, owner and state only.
func TestRecordsCannotBeSwapped(t *testing.T) {
	h := newHostile()
	s := newStore(t, h, newRing(t, seal.GenerateKey()))
	ada, grace, twin := create(t, s, "ada", "1"), create(t, s, "grace", "2"), create(t, s, "ada", "3")
	nobody := create(t, s, "", "4")
	payloads := map[sojourn.ID][]byte{}
	for _, w := range h.written {
		payloads[w.ID] = w.Payload
	}
	for _, c := range []struct {
		what     string
		from, to sojourn.Record
	}{{"another user's record", grace, ada}, {"another session of the user", twin, ada}, {"nobody's record", nobody, ada}, {"a user's record as nobody's", ada, nobody}} {
		h.change = func(r *sojourn.Record) { r.Payload = payloads[c.from.ID] }
		got, err := s.Load(t.Context(), c.to.ID)
		unreadable(t, c.what, got, err, seal.ErrForged)
	}
	for _, owner := range []string{"grace", "", "ad", "ada "} {
		h.change = func(r *sojourn.Record) { r.Owner = owner }
		got, err := s.Load(t.Context(), ada.ID)
		unreadable(t, "given to "+owner, got, err, seal.ErrForged)
	}

	// A live record's payload makes no tombstone, and a tombstone's no live record.
	ended := create(t, s, "ada", "5")
	ended.Dead, ended.Payload = true, []byte("\x00\x00\x01\x90\x00\x00\x00\x00moved")
	h.change = nil
	if _, err := s.Update(t.Context(), &ended); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Load(t.Context(), ended.ID); !errors.Is(err, sojourn.ErrNotFound) || errors.Is(err, sojourn.ErrCorrupt) || !bytes.Equal(got.Payload, ended.Payload) {
		t.Fatalf("the tombstone: %q, %v", got.Payload, err)
	}
	h.revive = true
	h.change = func(r *sojourn.Record) { r.Dead = false }
	got, err := s.Load(t.Context(), ended.ID)
	unreadable(t, "a tombstone said to live", got, err, seal.ErrForged)
	h.revive = false
	h.change = func(r *sojourn.Record) { r.Payload = payloads[ada.ID] }
	if got, err := s.Load(t.Context(), ended.ID); !errors.Is(err, sojourn.ErrNotFound) || !errors.Is(err, seal.ErrForged) || len(got.Payload) != 0 {
		t.Errorf("a live record's payload in a tombstone: %q, %v", got.Payload, err)
	}
}

func TestTombstones(t *testing.T) {
	h := newHostile()
	s := newStore(t, h, newRing(t, seal.GenerateKey()))
	r := create(t, s, "ada", "x")
	rr := sojourn.RevokedRecord{ID: r.ID, Owner: "ada", Reason: "suspected fraud", At: time.UnixMilli(1_790_000_000_000), Until: time.Now().Add(time.Hour).Truncate(time.Millisecond)}
	if err := s.Revoke(t.Context(), rr); err != nil {
		t.Fatal(err)
	}
	for _, seen := range h.revoked {
		if strings.Contains(string(seen.Reason), "fraud") {
			t.Errorf("the inner store sees the reason: %q", seen.Reason)
		}
		for _, c := range string(seen.Reason) {
			if c <= ' ' || c > '~' {
				t.Errorf("a sealed reason holds %q", c)
			}
		}
	}
	got, err := s.Load(t.Context(), r.ID)
	if !errors.Is(err, sojourn.ErrNotFound) || errors.Is(err, sojourn.ErrCorrupt) || !bytes.Equal(got.Payload, rr.Tombstone().Payload) {
		t.Fatalf("Load: %q, %v", got.Payload, err)
	}
	for i := range len(h.revoked[0].Tombstone().Payload) {
		h.change = func(r *sojourn.Record) { r.Payload[i] ^= 1 }
		got, err := s.Load(t.Context(), r.ID)
		if !errors.Is(err, sojourn.ErrNotFound) || !errors.Is(err, sojourn.ErrCorrupt) || !got.Dead || len(got.Payload) != 0 {
			t.Fatalf("byte %d changed: dead %v, %q, %v", i, got.Dead, got.Payload, err)
		}
	}
	for what, forged := range map[string]string{"a plain one": "\x00\x00\x01\x90\x00\x00\x00\x00logout", "nothing": ""} {
		h.change = func(r *sojourn.Record) { r.Payload = []byte(forged) }
		if got, err := s.Load(t.Context(), r.ID); !errors.Is(err, sojourn.ErrNotFound) || !errors.Is(err, seal.ErrUnsealed) || len(got.Payload) != 0 {
			t.Errorf("%s: %q, %v", what, got.Payload, err)
		}
	}
}
