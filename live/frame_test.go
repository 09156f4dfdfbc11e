package live

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

func FuzzParsePosition(f *testing.F) {
	for _, seed := range []string{"", ".", "k3Jd9aQe.42", "k3Jd9aQe.042", "k3Jd9aQe.-1", "a.9223372036854775807", "a.9223372036854775808", "a.b.1", "ä.1", "a.1\n", "a.+1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, ok := ParsePosition(s)
		if ok != (p.Epoch != "") {
			t.Fatalf("%q: %v %v", s, p, ok)
		}
		if ok && p.String() != s {
			t.Fatalf("%q is another spelling of %q", s, p)
		}
	})
}

func FuzzDecodeFrame(f *testing.F) {
	for _, seed := range []string{
		`{"type":"pong"}`, `{"type":"activity","data":{"active_ms_ago":12}}`, `{"type":"activity","data":{"active_ms_ago":-1}}`,
		`{"type":"activity","data":{"active_ms_ago":1e308}}`, `{"type":"app.x","cid":"1","data":[1,2]}`, `{"type":"app.x","cid":null}`,
		`{"type":1}`, `{}`, `[]`, `null`, ``, `{"type":"a"}{"type":"b"}`, `{"Type":"pong"}`, "\xff", `{"type":"\ud800"}`,
		`{"type":"activity","data":null}`, strings.Repeat("[", 10_000),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		frame, ok := decodeFrame(b)
		if !ok {
			return
		}
		if !json.Valid(b) || frame.typ == "" || len(frame.typ) > 64 || len(frame.cid) > maxCID || frame.ago < 0 {
			t.Fatalf("%q: %+v", b, frame)
		}
		if frame.data != nil && !json.Valid(frame.data) {
			t.Fatalf("%q: data %q", b, frame.data)
		}
		if out := answer("ack", frame.cid, frame.data); !json.Valid(out.body) || strings.ContainsAny(string(out.body), "\n\r") {
			t.Fatalf("%q is answered %q", b, out.body)
		}
	})
}

func TestDecodeFrame(t *testing.T) {
	for in, want := range map[string]bool{
		`{"type":"pong"}`: true, `{"type":"app.x","extra":1}`: true, `{"type":"future"}`: true,
		`{"type":""}`: false, `{"TYPE":"pong"}`: false, `{"type":"app.x","cid":7}`: false,
		`{"type":"app.x","cid":"` + strings.Repeat("c", 65) + `"}`: false,
		`{"type":"activity","data":{"active_ms_ago":"1"}}`:         false, `null`: false, `[]`: false,
	} {
		if _, ok := decodeFrame([]byte(in)); ok != want {
			t.Errorf("%s: %v", in, ok)
		}
	}
}

// The log against a plain list: after any adding and trimming, what it returns
// from a position on is exactly what was added after it, or nothing.
func TestLogNeverSkips(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	now := time.Unix(0, 0)
	for range 200 {
		keep := Retention{Events: 1 + rnd.IntN(20), Bytes: 400 + rnd.IntN(4000), For: time.Minute}
		l := eventLog{epoch: "e"}
		for range 300 {
			now = now.Add(time.Duration(rnd.IntN(10)) * time.Second)
			if rnd.IntN(4) == 0 {
				l.trim(now, &keep)
			}
			l.add(Event{Type: "app.x", At: now, Data: make([]byte, rnd.IntN(200))}, &keep)
			bytes := 0
			for i := range l.events {
				bytes += l.events[i].weight()
			}
			if bytes != l.bytes || bytes > keep.Bytes || len(l.events) > keep.Events {
				t.Fatalf("%d events of %d bytes, counted %d, allowed %+v", len(l.events), bytes, l.bytes, keep)
			}
			from := rnd.Uint64N(l.top + 3)
			got, ok := l.after(Position{"e", from})
			if ok != (from >= l.floor() && from <= l.top) {
				t.Fatalf("after %d: %v with %d to %d", from, ok, l.floor(), l.top)
			}
			if ok && !slices.EqualFunc(got, offsets(from+1, l.top), func(e Event, n uint64) bool { return e.Offset == n }) {
				t.Fatalf("after %d: %d events", from, len(got))
			}
			if _, ok := l.after(Position{"f", l.top}); ok {
				t.Fatal("another epoch was taken")
			}
		}
	}
}

func offsets(from, to uint64) (list []uint64) {
	for n := from; n <= to; n++ {
		list = append(list, n)
	}
	return list
}

func TestEventFrames(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		e    Event
		want string
	}{
		{Event{Offset: 43, Type: "session.data", Revision: 18, Data: []byte(`{"keys":[]}`)}, `{"id":"k.43","type":"session.data","rev":18,"data":{"keys":[]}}`},
		{Event{Offset: 1, Type: "session.rotated"}, `{"id":"k.1","type":"session.rotated"}`},
		{Event{Offset: 2, Type: "session.extended", Expires: now.Add(time.Second), Absolute: now.Add(time.Minute)},
			`{"id":"k.2","type":"session.extended","data":{"expires_in_ms":1000,"absolute_in_ms":60000,"extendable":true}}`},
		{Event{Offset: 2, Type: "session.extended", Expires: now.Add(-time.Second), Absolute: now.Add(-time.Second)},
			`{"id":"k.2","type":"session.extended","data":{"expires_in_ms":0,"absolute_in_ms":0,"extendable":false}}`},
	} {
		if got := string(c.e.encode("k", now)); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

func TestAppTypes(t *testing.T) {
	for typ, want := range map[string]bool{"app.x": true, "app.a.b-c_D9": true, "app.": false, "app": false, "session.ended": false, "app.\n": false,
		"app.ä": false, `app."`: false, "app." + strings.Repeat("x", 60): true, "app." + strings.Repeat("x", 61): false} {
		if appType(typ) != want {
			t.Errorf("%q: %v", typ, !want)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, bad := range []Options{{MaxPerSession: -1}, {Ping: time.Millisecond}, {Retention: Retention{Bytes: 2000}}, {MaxMessage: 1 << 30}, {Recheck: -1}} {
		if _, err := New(&bad); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}
