package sqlstore

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

func TestScanWalksThroughEveryRecordInTheOrderOfIDs(t *testing.T) {
	s := open(t)
	var want []sojourn.Record
	for _, id := range []string{"b", "B", "a", "a-", "a0", "Z", "~", "_", "0"} {
		create(t, s, id, "user "+id)
	}
	if _, err := s.RevokeOwner(t.Context(), "user a"); err != nil {
		t.Fatal(err)
	}
	expired := sojourn.Record{ID: "expired", Expires: time.UnixMilli(5)}
	if err := s.Create(t.Context(), &expired); err != nil {
		t.Fatal(err)
	}
	rr := sojourn.RevokedRecord{ID: "Z", Owner: "user Z", Reason: sojourn.ReasonLogout, At: in(0), Until: in(time.Hour)}
	if err := s.Revoke(t.Context(), rr); err != nil {
		t.Fatal(err)
	}
	for _, id := range []sojourn.ID{"0", "B", "Z", "_", "a", "a-", "a0", "b", "expired", "~"} { // ASCII
		r, err := s.Load(t.Context(), id)
		if err != nil && !errors.Is(err, sojourn.ErrNotFound) {
			t.Fatal(err)
		}
		want = append(want, r)
	}

	for _, limit := range []int{1, 3, 10, 100} {
		var got []sojourn.Record
		var after sojourn.ID
		for {
			part, err := s.Scan(t.Context(), after, limit)
			if err != nil {
				t.Fatal(err)
			}
			if len(part) > limit {
				t.Fatalf("a limit of %d gave %d records", limit, len(part))
			}
			got = append(got, part...)
			if len(part) < limit {
				break
			}
			after = part[len(part)-1].ID
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("limit %d: scan gave\n%v\nexpected\n%v", limit, got, want)
		}
	}
	dead := slices.IndexFunc(want, func(r sojourn.Record) bool { return r.Dead })
	if dead < 0 || want[dead].ID != "Z" {
		t.Errorf("record %d is dead: expected Z", dead)
	}
	if rs, err := s.Scan(t.Context(), "", 0); err != nil || len(rs) != 0 {
		t.Errorf("a limit of 0 gives %v, %v", rs, err)
	}
	if rs, err := s.Scan(t.Context(), "~", 1); err != nil || len(rs) != 0 {
		t.Errorf("behind the last: %v, %v", rs, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Scan(ended, "", 10); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
}
