package memcachestore_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"testing"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/testenv"
	"github.com/sojournhq/sojourn/store/memcachestore"
)

// generationKey is where an owner's generation lies: evicting it is deleting it.
func generationKey(owner string) string {
	sum := sha256.Sum256([]byte("sojourn owner\x00" + owner))
	return "sojourn:g" + base64.RawURLEncoding.EncodeToString(sum[:6])
}

// P1: an evicted generation takes the revocation with it, but brings nobody back.
func TestEvictedGenerationRevivesNobody(t *testing.T) {
	ctx := t.Context()
	server := testenv.StartMemcached(t)
	raw := memcache.New(server.Addr)
	t.Cleanup(func() { raw.Close() })
	now := time.Now()
	clock := func() time.Time { return now }
	store := open(t, "memcached://"+server.Addr, &memcachestore.Options{Clock: clock})
	const owner = "ada"
	create := func(id sojourn.ID) sojourn.Record {
		t.Helper()
		r := sojourn.Record{ID: id, Owner: owner, Expires: now.Add(time.Hour)}
		if err := store.Create(ctx, &r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	lives := func(what string, id sojourn.ID, want bool) {
		t.Helper()
		r, err := store.Load(ctx, id)
		if err != nil {
			t.Fatalf("Load: %v", err)
		}
		if lives := r.Generation >= r.OwnerGeneration; lives != want {
			t.Errorf("%s: generation %d of %d: it lives is %v, expected %v", what, r.Generation, r.OwnerGeneration, lives, want)
		}
	}

	create("revoked")
	lives("before", "revoked", true)
	before, err := store.RevokeOwner(ctx, owner)
	if err != nil {
		t.Fatal(err)
	}
	create("current")
	if err := raw.Delete(generationKey(owner)); err != nil {
		t.Fatal(err)
	}
	lives("a revoked session whose generation was evicted", "revoked", false)
	lives("a session whose generation was evicted", "current", false)

	create("next")
	lives("a session after the eviction", "next", true)
	lives("a revoked session, once another generation began", "revoked", false)
	lives("a session of the evicted generation", "current", false)
	after, err := store.RevokeOwner(ctx, owner)
	if err != nil {
		t.Fatal(err)
	}
	lives("a revoked session after the eviction", "next", false)
	if now = now.Add(time.Millisecond); after>>20 < before>>20 {
		t.Errorf("generation %d began after %d", after, before)
	}

	// The generation begins anew on a machine whose clock is an hour slow.
	create("ahead")
	if err := raw.Delete(generationKey(owner)); err != nil {
		t.Fatal(err)
	}
	now = now.Add(-time.Hour)
	create("slow")
	lives("a session begun by a slow clock", "slow", true)
	lives("a session of an evicted generation that is ahead", "ahead", false)
	lives("a revoked session, with a generation begun by a slow clock", "revoked", false)
}

// P1: an evicted session or tombstone is no session, whatever late requests do.
func TestEvictedRecordStaysAway(t *testing.T) {
	ctx := t.Context()
	server := testenv.StartMemcached(t)
	raw := memcache.New(server.Addr)
	t.Cleanup(func() { raw.Close() })
	store := open(t, "memcached://"+server.Addr, nil)
	r := sojourn.Record{ID: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", Expires: time.Now().Add(time.Hour)}
	if err := store.Create(ctx, &r); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Load(ctx, r.ID); err != nil { // so that a write need not read
		t.Fatal(err)
	}
	if err := raw.Delete("sojourn:s" + string(r.ID)); err != nil {
		t.Fatal(err)
	}
	late := r
	if _, err := store.Update(ctx, &late); !errors.Is(err, sojourn.ErrNotFound) {
		t.Errorf("Update of an evicted record: error %v, expected ErrNotFound", err)
	}
	if err := store.Touch(ctx, &late, time.Now().Add(2*time.Hour)); err != nil {
		t.Errorf("Touch of an evicted record: %v", err)
	}
	if err := store.Revoke(ctx, sojourn.RevokedRecord{ID: r.ID, Reason: "x", At: time.Now(), Until: time.Now().Add(time.Hour)}); err != nil {
		t.Errorf("Revoke of an evicted record: %v", err)
	}
	if _, err := store.Load(ctx, r.ID); !errors.Is(err, sojourn.ErrNotFound) {
		t.Errorf("Load of an evicted record: error %v, expected ErrNotFound", err)
	}
	again := r
	if err := store.Create(ctx, &again); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Update(ctx, &late); !errors.Is(err, sojourn.ErrConflict) {
		t.Errorf("Update by a writer of the evicted record of the same ID: error %v, expected ErrConflict", err)
	}
}
