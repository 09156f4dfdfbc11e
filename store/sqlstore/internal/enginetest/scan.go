package enginetest

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

// Scans walks through all records. Nobody else may use the tables.
func Scans(t *testing.T, s Store) {
	for i, id := range []sojourn.ID{"b", "B", "a", "a-", "a0", "Z", "~", "_", "0"} {
		r := sojourn.Record{ID: id, Owner: "user " + string(id), Expires: in(time.Duration(i-3) * time.Hour), Payload: []byte(id)}
		if err := s.Create(t.Context(), &r); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.RevokeOwner(t.Context(), "user a"); err != nil {
		t.Fatal(err)
	}
	if err := s.Revoke(t.Context(), revocation(sojourn.Record{ID: "Z", Owner: "user Z"})); err != nil {
		t.Fatal(err)
	}
	var want []sojourn.Record
	for _, id := range []sojourn.ID{"0", "B", "Z", "_", "a", "a-", "a0", "b", "~"} { // ASCII
		r, err := s.Load(t.Context(), id)
		if err != nil && !errors.Is(err, sojourn.ErrNotFound) {
			t.Fatal(err)
		}
		if r.Dead != (id == "Z") {
			t.Errorf("%q: dead is %v", id, r.Dead)
		}
		want = append(want, r)
	}
	for _, limit := range []int{1, 3, 9, 100} {
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
	for _, c := range []struct {
		after sojourn.ID
		limit int
	}{{"", 0}, {"", -1}, {"~", 1}} {
		if rs, err := s.Scan(t.Context(), c.after, c.limit); err != nil || len(rs) != 0 {
			t.Errorf("Scan(%q, %d) gives %v, %v: expected nothing", c.after, c.limit, rs, err)
		}
	}
}
