package redisstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

func TestRecordsOfAnotherRelease(t *testing.T) {
	r := server(t)
	s := open(t, "redis://"+r.Addr, nil)
	for name, value := range map[string]string{
		"of a newer format": "\x02" + long("whatever a later release keeps"),
		"cut short":         "\x01\x00 short",
		"without its owner": string([]byte{format, 25: 0, 26: 200}) + "short",
	} {
		record := newRecord("owner " + random())
		key := s.sessionKey(record.ID, tagOf(record.ID))
		r.Do("SET", key, value)
		if _, err := s.Load(t.Context(), record.ID); !errors.Is(err, sojourn.ErrCorrupt) {
			t.Errorf("Load of a record %s: %v", name, err)
		}
		if _, err := s.Update(t.Context(), &record); !errors.Is(err, sojourn.ErrCorrupt) {
			t.Errorf("Update of a record %s: %v", name, err)
		}
		if err := s.Touch(t.Context(), &record, time.Now().Add(2*time.Hour)); err != nil {
			t.Errorf("Touch of a record %s: %v", name, err)
		}
		if got := r.Do("GET", key); got != value && value[0] != format {
			t.Errorf("a record %s was changed to %q", name, got)
		}
		if err := s.Revoke(t.Context(), revocation(record)); err != nil { // whatever it is, it ends
			t.Errorf("Revoke of a record %s: %v", name, err)
		}
		if got, err := s.Load(t.Context(), record.ID); !got.Dead || !errors.Is(err, sojourn.ErrNotFound) {
			t.Errorf("after Revoke of a record %s: %v", name, err)
		}
	}
}

func TestTooLarge(t *testing.T) {
	s := open(t, "redis://"+server(t).Addr, &Options{MaxRecord: 1000})
	r := newRecord("owner " + random())
	r.Payload = make([]byte, 1000)
	if err := s.Create(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	was := r
	r.Payload = make([]byte, 1001)
	if _, err := s.Update(t.Context(), &r); !errors.Is(err, sojourn.ErrTooLarge) || !strings.Contains(err.Error(), "1001") {
		t.Errorf("Update: %v", err)
	}
	if got, err := s.Load(t.Context(), r.ID); err != nil || got.Version != was.Version || len(got.Payload) != 1000 {
		t.Errorf("afterwards: version %d, %d bytes, %v", got.Version, len(got.Payload), err)
	}
	r = newRecord("")
	r.Payload = make([]byte, 1001)
	if err := s.Create(t.Context(), &r); !errors.Is(err, sojourn.ErrTooLarge) {
		t.Errorf("Create: %v", err)
	}
}

func TestArgumentsOutOfBounds(t *testing.T) {
	s := open(t, "redis://"+server(t).Addr, nil)
	ctx := t.Context()
	for name, r := range map[string]sojourn.Record{
		"no id":          {Expires: time.Now().Add(time.Hour)},
		"a long id":      {ID: sojourn.ID(strings.Repeat("x", maxID+1)), Expires: time.Now().Add(time.Hour)},
		"a long owner":   {ID: newRecord("").ID, Owner: strings.Repeat("x", maxOwner+1), Expires: time.Now().Add(time.Hour)},
		"no deadline":    {ID: newRecord("").ID},
		"an owner given": {ID: create(t, s, "").ID, Owner: "another", Expires: time.Now().Add(time.Hour)},
	} {
		if name != "an owner given" {
			if err := s.Create(ctx, &r); !errors.Is(err, sojourn.ErrInvalid) {
				t.Errorf("Create with %s: %v", name, err)
			}
		}
		if _, err := s.Update(ctx, &r); !errors.Is(err, sojourn.ErrInvalid) && name != "no deadline" && name != "an owner given" {
			t.Errorf("Update with %s: %v", name, err)
		}
		if _, err := s.Load(ctx, r.ID); name != "an owner given" && !errors.Is(err, sojourn.ErrNotFound) {
			t.Errorf("Load with %s: %v", name, err)
		}
		if err := errors.Join(s.Touch(ctx, &r, time.Now()), s.Revoke(ctx, revocation(r))); err != nil {
			t.Errorf("Touch, Revoke with %s: %v", name, err)
		}
	}
	for _, owner := range []string{"", strings.Repeat("x", maxOwner+1)} {
		if _, err := s.RevokeOwner(ctx, owner); !errors.Is(err, sojourn.ErrInvalid) {
			t.Errorf("RevokeOwner of %d bytes: %v", len(owner), err)
		}
		if ids, err := s.List(ctx, owner); err != nil || len(ids) != 0 {
			t.Errorf("List of %d bytes: %q, %v", len(owner), ids, err)
		}
	}
}

func TestUpdateRefusesAnotherOwner(t *testing.T) {
	s := open(t, "redis://"+server(t).Addr, nil)
	r := create(t, s, "owner "+random())
	r.Owner = "another " + random()
	if _, err := s.Update(t.Context(), &r); !errors.Is(err, sojourn.ErrInvalid) {
		t.Errorf("error %v, expected ErrInvalid", err)
	}
}

func FuzzRecord(f *testing.F) {
	r := newRecord("somebody")
	f.Add([]byte(encode(&r, 7, true)))
	f.Add([]byte{format, 25: 0, 26: 3})
	f.Add([]byte{2})
	f.Fuzz(func(t *testing.T, value []byte) {
		r, away, err := decode("id", value)
		if err != nil {
			if !errors.Is(err, sojourn.ErrCorrupt) {
				t.Errorf("error %v", err)
			}
			return
		}
		if r.Expires.UnixMilli() < 0 || value[1] > 3 { // never written
			return
		}
		if again := encode(&r, r.Version, away); again != string(value) {
			t.Errorf("%x became %x", value, again)
		}
	})
}

func FuzzGenerations(f *testing.F) {
	entry := func(owner string, generation uint64) []byte {
		return binary.BigEndian.AppendUint64(append([]byte{byte(len(owner))}, owner...), generation)
	}
	f.Add(bytes.Join([][]byte{entry("a", 1), entry("somebody", 1<<52), entry("", 3)}, nil), "somebody")
	f.Add([]byte{200, 1}, "a")
	f.Fuzz(func(t *testing.T, value []byte, owner string) {
		if _, err := generationIn(value, owner); err != nil && !errors.Is(err, sojourn.ErrCorrupt) {
			t.Errorf("error %v", err)
		}
	})
}
