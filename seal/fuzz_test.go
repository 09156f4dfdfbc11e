package seal_test

import (
	"bytes"
	"runtime/metrics"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/seal"
)

// ceiling fails if f allocates more than so many bytes. Parallel workers of a
// fuzzing run are processes, so nobody else counts.
func ceiling(t *testing.T, limit int, f func()) {
	t.Helper()
	read := func() uint64 {
		s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
		metrics.Read(s)
		return s[0].Value.Uint64()
	}
	before := read()
	f()
	if n := read() - before; n > uint64(limit) {
		t.Errorf("%d bytes were allocated, more than %d", n, limit)
	}
}

// Nothing opens but what was sealed, and nothing panics or allocates beyond the
// input's size.
func FuzzOpen(f *testing.F) {
	key := seal.GenerateKey()
	h := newHostile()
	s := newStore(f, h, newRing(f, key))
	live := create(f, s, "ada", "what she keeps")
	dead := create(f, s, "ada", "x")
	if err := s.Revoke(f.Context(), sojourn.RevokedRecord{ID: dead.ID, Owner: "ada", Reason: "logout", At: live.Expires, Until: live.Expires}); err != nil {
		f.Fatal(err)
	}
	good := h.written[0].Payload
	tombstone := h.revoked[0].Tombstone().Payload
	for _, seed := range [][]byte{nil, {0xe1}, good, good[:33], tombstone, tombstone[:20], append(bytes.Clone(good), 0), bytes.Repeat([]byte{0xe1}, 200)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		h.change = func(r *sojourn.Record) { r.Payload = payload }
		ceiling(t, 4*len(payload)+64<<10, func() {
			if r, err := s.Load(t.Context(), live.ID); err == nil && !bytes.Equal(payload, good) || err != nil && r.Payload != nil {
				t.Errorf("a forgery opened: %q, %v", r.Payload, err)
			}
			if r, _ := s.Load(t.Context(), dead.ID); r.Payload != nil && !bytes.Equal(payload, tombstone) {
				t.Errorf("a forged tombstone opened: %q", r.Payload)
			}
		})
	})
}

func FuzzParseRing(f *testing.F) {
	good := seal.GenerateKey()
	for _, seed := range []string{"", "#", "sk1_", good.Reveal(), good.Reveal() + "\n" + seal.GenerateKey().Reveal(), "\r\n \t", strings.Repeat("sk1_ ", 100)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ceiling(t, 16*len(text)+256<<10, func() {
			r, err := seal.ParseRing(strings.NewReader(text))
			if (r == nil) != (err != nil) {
				t.Errorf("%v, %v", r, err)
			}
			if err != nil && strings.Contains(text, good.Reveal()) && leaksKey(good, err.Error()) {
				t.Errorf("the error quotes a key: %v", err)
			}
		})
	})
}
