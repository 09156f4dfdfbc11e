package enginetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

// SweepsTogether lets several sweepers share the work while others touch what
// they look at: each expired record is removed once, none that is not, and what a
// sweep has put off is found later.
func SweepsTogether(t *testing.T, s Store) {
	const records, sweepers = 2000, 4
	at := time.UnixMilli(10_000_000)
	var wg sync.WaitGroup
	for k := range sweepers {
		wg.Go(func() {
			for i := k; i < records; i += sweepers {
				r := sojourn.Record{ID: sojourn.ID(fmt.Sprintf("r%04d", i)), Expires: at.Add(-time.Duration(1+i) * time.Millisecond)}
				err := s.Create(t.Context(), &r)
				if err == nil && i%4 == 0 { // a quarter has been touched
					err = s.Touch(t.Context(), &r, at.Add(time.Duration(i)*time.Millisecond))
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	sweep := func(before time.Time, limit int) map[sojourn.ID]bool {
		var mu sync.Mutex
		gone := map[sojourn.ID]bool{}
		for range sweepers {
			wg.Go(func() {
				for {
					part, err := s.Sweep(t.Context(), before, limit)
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					for _, r := range part {
						if gone[r.ID] || !r.Expires.Before(before) {
							t.Errorf("%s was removed twice, or too early: it expires at %v", r.ID, r.Expires)
						}
						gone[r.ID] = true
					}
					mu.Unlock()
					if len(part) < limit {
						return
					}
				}
			})
		}
		wg.Wait()
		return gone
	}
	if n := len(sweep(at, 100)); n != records*3/4 {
		t.Errorf("%d records were removed: expected %d", n, records*3/4)
	}
	if n := len(sweep(at.Add(time.Duration(records/2)*time.Millisecond), 1000)); n != records/8 {
		t.Errorf("%d of those that were touched were removed: expected %d", n, records/8)
	}
	if n := len(sweep(at.Add(time.Hour), 1000)); n != records/8 {
		t.Errorf("%d of the rest were removed: expected %d", n, records/8)
	}
}
