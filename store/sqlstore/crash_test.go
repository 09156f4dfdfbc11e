package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

// writeUntilKilled lets eight goroutines create, change, touch and revoke
// sessions of their own. Before an operation it writes a line with "try", after
// its acknowledgement one with "ack": what was tried may have happened, what was
// acknowledged must have.
//
//	try|ack create|update|touch|revoke|revoke-owner ID number
func writeUntilKilled(args []string) error {
	ctx := context.Background()
	s, err := OpenSQLite(ctx, args[0], nil)
	if err != nil {
		return err
	}
	failed := make(chan error)
	for w := range 8 {
		go func() {
			for n := 0; ; n++ {
				if err := liveOnce(ctx, s, fmt.Sprintf("%s-%d-%d", args[1], w, n)); err != nil {
					failed <- err
				}
			}
		}()
	}
	return <-failed
}

// liveOnce takes one session through its life.
func liveOnce(ctx context.Context, s *Store, id string) error {
	say := func(what, verb string, n uint64) {
		os.Stdout.WriteString(fmt.Sprintf("%s %s %s %d\n", what, verb, id, n)) // one write: lines never mix
	}
	do := func(verb string, n uint64, f func() error) error {
		say("try", verb, n)
		if err := f(); err != nil {
			return fmt.Errorf("%s %s: %w", verb, id, err)
		}
		say("ack", verb, n)
		return nil
	}
	r := sojourn.Record{ID: sojourn.ID(id), Owner: id, Expires: time.UnixMilli(1), Payload: []byte("0")}
	err := do("create", 0, func() error { return s.Create(ctx, &r) })
	for n := uint64(1); err == nil && n <= 5; n++ {
		if n == 3 {
			err = do("touch", 1000, func() error { return s.Touch(ctx, &r, time.UnixMilli(1000)) })
			r.Expires = time.Time{}
		}
		r.Payload = []byte(strconv.FormatUint(n, 10))
		err = errors.Join(err, do("update", n, func() error { _, err := s.Update(ctx, &r); return err }))
	}
	if err != nil {
		return err
	}
	if rand.IntN(2) == 0 {
		return do("revoke", 0, func() error {
			return s.Revoke(ctx, sojourn.RevokedRecord{ID: r.ID, Owner: id, Reason: sojourn.ReasonLogout, At: in(0), Until: in(time.Hour)})
		})
	}
	return do("revoke-owner", 1, func() error { _, err := s.RevokeOwner(ctx, id); return err })
}

// said is what a child told about one session, verb by verb.
type said struct{ tried, acked map[string]uint64 }

func TestP14WhatYouWriteSurvivesKill9(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	sessions := map[string]said{}
	rounds, acks := 8, 0
	for round := range rounds {
		c := startChild(t, "writes until it is killed", path, fmt.Sprint("round", round))
		life := time.Duration(rand.IntN(100)) * time.Millisecond
		last := acks + 60    // enough to look at, on a slow disk too
		for c.lines.Scan() { // to the end: what was said before the kill counts
			f := strings.Fields(c.lines.Text())
			if len(f) != 4 {
				break // cut off by the kill
			}
			one, ok := sessions[f[2]]
			if !ok {
				one = said{map[string]uint64{}, map[string]uint64{}}
				sessions[f[2]] = one
			}
			n, err := strconv.ParseUint(f[3], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			if f[0] == "ack" {
				one.acked[f[1]] = n
				if acks++; acks == last {
					time.AfterFunc(life, func() { c.Process.Kill() })
				}
			} else {
				one.tried[f[1]] = n
			}
		}
		if err := c.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
			t.Fatalf("round %d: the child ended with %v: expected the kill", round, err)
		}
		checkSurvivors(t, path, sessions)
		if t.Failed() {
			t.Fatalf("in round %d, killed %v after the first acknowledgements", round, life)
		}
	}
	t.Logf("%d kills, %d sessions, %d acknowledged writes, none lost", rounds, len(sessions), acks)
}

func checkSurvivors(t *testing.T, path string, sessions map[string]said) {
	t.Helper()
	s, err := OpenSQLite(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	var sound string
	if err := s.readers.QueryRow("PRAGMA quick_check").Scan(&sound); err != nil || sound != "ok" {
		t.Errorf("the file is damaged: %s, %v", sound, err)
	}
	for id, one := range sessions {
		if _, ok := one.acked["create"]; !ok {
			continue
		}
		r, err := s.Load(t.Context(), sojourn.ID(id))
		_, revoking := one.tried["revoke"]
		_, revoked := one.acked["revoke"]
		switch {
		case err == nil && revoked:
			t.Errorf("%s was revoked and is live", id)
			continue
		case r.Dead && revoking:
			continue
		case err != nil:
			t.Errorf("%s was created: %v", id, err)
			continue
		}
		n, err := strconv.ParseUint(string(r.Payload), 10, 64)
		if err != nil || n < one.acked["update"] || n > one.tried["update"] {
			t.Errorf("%s holds update %q: expected from %d (acknowledged) to %d (tried)", id, r.Payload, one.acked["update"], one.tried["update"])
		}
		if at := uint64(r.Expires.UnixMilli()); at < one.acked["touch"] {
			t.Errorf("%s expires at %d: expected %d", id, at, one.acked["touch"])
		}
		if r.OwnerGeneration < one.acked["revoke-owner"] {
			t.Errorf("%s: its owner's generation is %d: expected %d", id, r.OwnerGeneration, one.acked["revoke-owner"])
		}
	}
}
