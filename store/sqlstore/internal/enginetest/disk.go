package enginetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/testenv"
)

// FullDisk fills the disk on which a store lies. The error says so and is no
// verdict; what was acknowledged stays; with more room all goes on.
func FullDisk(t *testing.T, s sojourn.Store, disk *testenv.Disk, room int) {
	var kept []sojourn.Record
	var full error
	for n := 0; full == nil; n++ {
		r := newRecord(unique("owner"))
		r.Payload = make([]byte, 60<<10)
		rand.Read(r.Payload) // nothing that could be compressed
		if full = s.Create(t.Context(), &r); full == nil {
			kept = append(kept, r)
		}
		if n > 10*room/len(r.Payload) {
			t.Fatalf("%d records of %d bytes fit on a disk of %d", n, len(r.Payload), room)
		}
	}
	if verdict(full) || !strings.Contains(full.Error(), "disk is full") {
		t.Errorf("on a full disk: %v, expected no verdict, and the words \"disk is full\"", full)
	}
	if len(kept) == 0 {
		t.Fatal("not one record fitted")
	}
	same := func() {
		t.Helper()
		for _, r := range kept {
			got, err := s.Load(t.Context(), r.ID)
			if err != nil || !bytes.Equal(got.Payload, r.Payload) {
				t.Fatalf("a record acknowledged before the disk was full: %d bytes, %v", len(got.Payload), err)
			}
		}
	}
	same()
	disk.Resize(4 * room)
	testenv.Eventually(t, "with more room", 10*time.Second, func() error {
		return s.Revoke(context.WithoutCancel(t.Context()), revocation(kept[0]))
	})
	if _, err := s.Load(t.Context(), kept[0].ID); !errors.Is(err, sojourn.ErrNotFound) {
		t.Errorf("revoked with more room: %v", err)
	}
	kept = kept[1:]
	same()
	create(t, s, unique("owner"))
}
