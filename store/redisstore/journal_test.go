package redisstore

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sojournhq/sojourn"
)

func tombstone(id string) sojourn.Record {
	return sojourn.RevokedRecord{ID: sojourn.ID(id), Reason: sojourn.ReasonLogout}.Tombstone()
}

func TestJournalForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(5 * time.Minute)
		j.end(tombstone("a"), true)
		j.raise("owner", 3)
		time.Sleep(4 * time.Minute)
		j.end(tombstone("b"), true)
		if len(j.entries(true)) != 3 {
			t.Errorf("%d entries, expected 3", len(j.entries(true)))
		}
		time.Sleep(2 * time.Minute)
		if left := j.entries(true); len(left) != 1 || left[0].tombstone.ID != "b" {
			t.Errorf("after 6 minutes: %d entries, expected b only", len(left))
		}
		if _, ok := j.tombstone("a"); ok || j.generation("owner") != 0 {
			t.Error("what it forgot it still answers for")
		}
		time.Sleep(5 * time.Minute)
		if j.entries(true) != nil || j.size.Load() != 0 {
			t.Errorf("after 11 minutes it holds %d", j.size.Load())
		}
	})
}

func TestJournalIsBounded(t *testing.T) {
	j := newJournal(time.Hour)
	for i := range journalSize + 100 {
		j.end(tombstone(strconv.Itoa(i)), true)
	}
	_, first := j.tombstone("99")
	_, last := j.tombstone("100")
	if j.size.Load() != journalSize || first || !last {
		t.Errorf("it holds %d, the 100th %v, the 101st %v", j.size.Load(), first, last)
	}
}

func TestJournalKeepsTheFirstReason(t *testing.T) {
	j := newJournal(time.Hour)
	first, second := tombstone("a"), tombstone("a")
	first.Version, second.Version = 1, 2
	j.end(first, true)
	j.end(second, true)
	j.end(second, false)
	if got, _ := j.tombstone("a"); got.Version != 1 {
		t.Errorf("version %d, expected the first", got.Version)
	}
	j.raise("owner", 7)
	j.raise("owner", 5) // an answer that was overtaken
	if j.generation("owner") != 7 || len(j.entries(true)) != 2 {
		t.Errorf("generation %d, %d entries", j.generation("owner"), len(j.entries(true)))
	}
}

// TestJournalOfUnsureEndings: they are told again until somebody answers.
func TestJournalOfUnsureEndings(t *testing.T) {
	j := newJournal(time.Hour)
	j.end(tombstone("ended"), false)
	j.end(tombstone("absent"), false)
	j.end(tombstone("sure"), true)
	unsure := j.entries(false)
	if len(unsure) != 2 {
		t.Fatalf("%d unsure entries, expected 2", len(unsure))
	}
	j.settle(unsure[0], true)
	j.settle(unsure[1], false)
	if len(j.entries(false)) != 0 || len(j.entries(true)) != 2 {
		t.Errorf("%d unsure, %d in all: expected none and 2", len(j.entries(false)), len(j.entries(true)))
	}
	if _, ok := j.tombstone("absent"); ok {
		t.Error("a session that does not exist is said to have ended")
	}
}

func TestJournalOff(t *testing.T) {
	j := newJournal(0)
	j.end(tombstone("a"), true)
	j.raise("owner", 1)
	if _, ok := j.tombstone("a"); ok || j.entries(true) != nil {
		t.Error("it remembers")
	}
}
