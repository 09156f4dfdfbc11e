package sqlstore

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

func TestAFullDiskAcknowledgesNothingAndHeals(t *testing.T) {
	s := open(t)
	old := create(t, s, "old", "user")
	raw(t, s, "PRAGMA max_page_count=40") // 160 KiB stand for the disk

	big := make([]byte, 10_000)
	stored := map[sojourn.ID]bool{}
	var full error
	for i := 0; full == nil; i++ {
		if i > 100 {
			t.Fatal("1 MB went into 160 KiB")
		}
		r := sojourn.Record{ID: sojourn.ID(numbered(i)), Expires: in(time.Hour), Payload: big}
		if full = s.Create(t.Context(), &r); full == nil {
			stored[r.ID] = true
		} else if _, err := s.Load(t.Context(), r.ID); !errors.Is(err, sojourn.ErrNotFound) {
			t.Errorf("a refused record: load gives %v: expected ErrNotFound", err)
		}
	}
	if !strings.Contains(full.Error(), "disk is full") || errors.Is(full, sojourn.ErrNotFound) || errors.Is(full, sojourn.ErrConflict) {
		t.Errorf("the error is %q: expected it to say that the disk is full", full)
	}
	if _, err := s.Load(t.Context(), old.ID); err != nil {
		t.Errorf("load on a full disk: %v", err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("ping on a full disk: %v", err)
	}

	// In one batch, too.
	each(16, func(i int) {
		r := sojourn.Record{ID: sojourn.ID(numbered(1000 + i)), Expires: in(time.Hour), Payload: big}
		if err := s.Create(t.Context(), &r); err == nil {
			t.Error("a big record was acknowledged on a full disk")
		}
	})

	raw(t, s, "PRAGMA max_page_count=100000")
	next := create(t, s, "next", "user")
	for id := range stored {
		if _, err := s.Load(t.Context(), id); err != nil {
			t.Errorf("an acknowledged record: %v", err)
		}
	}
	if _, err := s.Load(t.Context(), next.ID); err != nil {
		t.Error(err)
	}
}
