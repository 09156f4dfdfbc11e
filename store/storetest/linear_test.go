package storetest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/storetest/linear"
)

// Of these mistakes no history tells: they are about what several clients of one
// user never see. The suite's own cases catch them.
var beyondHistories = map[string]string{
	"List leaks another owner":                  "lists of other users",
	"List goes by tag":                          "lists of other users",
	"List of nobody holds the anonymous":        "lists of other users",
	"payload buffers are used again":            "the race detector tells",
	"payloads are cut at 4 KiB":                 "sizes",
	"IDs are file names":                        "names",
	"IDs are folded":                            "names",
	"owners are folded":                         "names",
	"owners are trimmed":                        "names",
	"owners are cut short":                      "names",
	"deadlines end after 30 days":               "long deadlines",
	"contexts are ignored":                      "who hangs up takes any outcome",
	"Ping fails":                                "not of the contract's seven",
	"expired records are hidden before a sweep": "nothing expires in a history",
	"Sweep removes live ones":                   "nobody sweeps",
	"Sweep removes what expires at that moment": "nobody sweeps",
	"Sweep leaves tombstones":                   "nobody sweeps",
	"Sweep has no limit":                        "nobody sweeps",
	"Sweep ends too soon":                       "nobody sweeps",
	"Sweep forgets generations":                 "nobody sweeps",
	"Sweep chooses first and removes later":     "nobody sweeps",
}

// TestHistoriesCatchBrokenStores is the proof of package linear: a store with any
// other mistake has histories that no order explains.
func TestHistoriesCatchBrokenStores(t *testing.T) {
	if _, err := linear.Check(t.Context(), newMapStore(), linear.Options{Histories: 300, Parallel: 4}); err != nil {
		t.Errorf("a store without a mistake: %v", err)
	}
	for _, m := range mistakes() {
		if beyondHistories[m.name] != "" {
			continue
		}
		t.Run(strings.ReplaceAll(m.name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			if sum, err := linear.Check(t.Context(), newBroken(m.breakIt), linear.Options{Histories: 2000, Parallel: 4}); err == nil {
				t.Errorf("every history of a store whose %s has an order: %v", m.name, sum)
			}
		})
	}
}

// What a store may be let off never lets an end come late.
func TestHistoriesLetOffTheSafeSideOnly(t *testing.T) {
	off := linear.Options{Histories: 2000, Parallel: 4, EarlyStamp: true, LateGeneration: true, KnownEnds: true}
	for _, m := range []mistake{
		{"Load reads the generation first and the record later", "", func(b *broken) {
			b.load = func(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
				before, _ := b.mapStore.Load(ctx, id)
				time.Sleep(100 * time.Microsecond)
				r, err := b.mapStore.Load(ctx, id)
				r.OwnerGeneration = before.OwnerGeneration
				return r, err
			}
		}},
		{"Create stamps the generation after inserting", "", nil},
		{"Update revives", "", nil},
		{"Touch revives", "", nil},
	} {
		t.Run(strings.ReplaceAll(m.name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			s := sojourn.Store(nil)
			if m.breakIt != nil {
				s = newBroken(m.breakIt)
			} else {
				s = brokenStore(t, m.name)()
			}
			if sum, err := linear.Check(t.Context(), s, off); err == nil {
				t.Errorf("every history has an order: %v", sum)
			}
		})
	}
}
