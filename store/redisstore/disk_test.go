package redisstore

import (
	"bytes"
	"crypto/rand"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/testenv"
)

// A server whose disk is full refuses writes and says why; what it acknowledged
// stays, and with more room it goes on.
func TestFullDisk(t *testing.T) {
	const room = 8 << 20
	dir := filepath.Join(t.TempDir(), "disk")
	disk := testenv.MountDisk(t, dir, room)
	r := testenv.StartRedis(t, &testenv.RedisOptions{Config: []string{"dir " + dir, "appendonly yes", "appendfsync everysec", "auto-aof-rewrite-percentage 0"}})
	s := open(t, "redis://"+r.Addr, nil)
	var kept []sojourn.Record
	var full error
	for n := 0; full == nil; n++ {
		rec := newRecord("")
		rec.Payload = make([]byte, 60<<10)
		rand.Read(rec.Payload)
		if full = s.Create(t.Context(), &rec); full == nil {
			kept = append(kept, rec)
		}
		if n > 10*room/len(rec.Payload) {
			t.Fatalf("%d records of %d bytes fit on a disk of %d", n, len(rec.Payload), room)
		}
	}
	if !strings.Contains(full.Error(), "the server cannot write to its disk") {
		t.Errorf("on a full disk: %v", full)
	}
	same := func() {
		t.Helper()
		for _, rec := range kept {
			if got, err := s.Load(t.Context(), rec.ID); err != nil || !bytes.Equal(got.Payload, rec.Payload) {
				t.Fatalf("a record acknowledged before the disk was full: %d bytes, %v", len(got.Payload), err)
			}
		}
	}
	same()
	disk.Resize(4 * room)
	testenv.Eventually(t, "with more room", 10*time.Second, func() error {
		fresh := newRecord("")
		return s.Create(t.Context(), &fresh)
	})
	r.Stop()
	r.Start()
	testenv.Eventually(t, "started again", 10*time.Second, func() error { return s.Ping(t.Context()) })
	same()
}
