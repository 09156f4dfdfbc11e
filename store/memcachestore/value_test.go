package memcachestore

import (
	"bytes"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

// Memcached reads an exptime in three ways.
func TestLifetime(t *testing.T) {
	now := time.Unix(1_800_000_000, 999_999_999)
	const day = 24 * time.Hour
	for _, c := range []struct {
		expires time.Time
		want    int32
		why     string
	}{
		{now, 60, "at once, but it lingers"},
		{now.Add(time.Millisecond), 61, "rounded up"},
		{now.Add(time.Hour), 3660, "relative"},
		{now.Add(-59 * time.Second), 1, "nearly over"},
		{now.Add(-time.Hour), 1, "never 0, which is for ever, nor negative, which is at once"},
		{time.Time{}, 1, "no deadline at all"},
		{now.Add(30*day - time.Minute), 30 * 86400, "the last relative one"},
		{now.Add(30*day - time.Minute + time.Second), 1_800_000_000 + 30*86400 + 1, "the first absolute one"},
		{now.Add(400 * day), 1_800_000_000 + 400*86400 + 60, "absolute"},
		{time.Date(2038, 1, 20, 0, 0, 0, 0, time.UTC), 0, "beyond 31 bits"},
		{time.UnixMilli(math.MaxInt64 / 2), 0, "beyond any duration"},
	} {
		if got := lifetime(c.expires, now); got != c.want {
			t.Errorf("%s: %d, expected %d", c.why, got, c.want)
		}
	}
}

func FuzzDecodeRecord(f *testing.F) {
	f.Add(encodeRecord(&sojourn.Record{Version: 1, Owner: "ada", Payload: []byte("payload"), Expires: time.UnixMilli(1e12)}))
	f.Add(encodeRecord(&sojourn.Record{Dead: true, Generation: math.MaxUint64}))
	f.Add([]byte{format})
	f.Add([]byte{2, 0})
	f.Add(append(bytes.Repeat([]byte{1}, fixed), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := decodeRecord("id", b)
		if err != nil {
			if !errors.Is(err, sojourn.ErrCorrupt) {
				t.Errorf("error %v, expected ErrCorrupt", err)
			}
			return
		}
		again, err := decodeRecord("id", encodeRecord(&r))
		if err != nil || again.Version != r.Version || again.Dead != r.Dead || again.Generation != r.Generation ||
			!again.Expires.Equal(r.Expires) || again.Owner != r.Owner || !bytes.Equal(again.Payload, r.Payload) {
			t.Errorf("%+v became %+v, error %v", r, again, err)
		}
	})
}

func FuzzDecodeGenerations(f *testing.F) {
	f.Add(encodeGenerations([]generation{{"ada", 7}, {"", 0}, {"grace", math.MaxUint64}}))
	f.Add([]byte{format, 5, 'a'})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := decodeGenerations(b)
		if err != nil {
			if !errors.Is(err, sojourn.ErrCorrupt) {
				t.Errorf("error %v, expected ErrCorrupt", err)
			}
			return
		}
		again, err := decodeGenerations(encodeGenerations(all))
		if err != nil || len(again) != len(all) {
			t.Fatalf("%v became %v, error %v", all, again, err)
		}
		for i := range all {
			if again[i] != all[i] {
				t.Errorf("%v became %v", all[i], again[i])
			}
		}
	})
}
