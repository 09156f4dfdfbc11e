package audit_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/audit"
)

type actor struct{}

func TestLogLine(t *testing.T) {
	var w sink
	l := open(t, &w, &audit.Options{Kinds: []sojourn.EventKind{sojourn.EventEnded}, Actor: func(ctx context.Context) string { return ctx.Value(actor{}).(string) }})
	l.Observe(context.WithValue(t.Context(), actor{}, "root"), sojourn.Event{
		Kind: sojourn.EventEnded, ID: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", From: "of another system", Owner: "ada", Reason: "revoked", Keys: []string{"a", "b"}, At: at,
		IP: "203.0.113.9", UserAgent: "Mozilla/5.0 <b>", Err: errors.New("gone")})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	line := w.text()
	stream := line[strings.Index(line, `"stream":"`)+10:][:16]
	want := `{"v":1,"time":"2026-11-03T08:08:07.123Z","event":"ended","session":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","from":"ifokqt3hjWV2waok","owner":"ada","actor":"root",` +
		`"reason":"revoked","keys":["a","b"],"ip":"203.0.113.9","user_agent":"Mozilla/5.0 <b>","error":"gone","stream":"` + stream + `","seq":1}` + "\n"
	if line != want {
		t.Errorf("%s, expected %s", line, want)
	}
	if s := l.Stats(); s.Written != 1 || s.Dropped != 0 || s.Waiting != 0 {
		t.Errorf("%+v", s)
	}
}

// What clients choose cannot forge a line, end one, or make one long.
func TestLogInjection(t *testing.T) {
	var w sink
	l := open(t, &w, nil)
	long := strings.Repeat("ü", 5000)
	hostile := []string{"a\nb", "\r\n{\"event\":\"ended\"}", "\x00\x1b[31m", "\xff\xfe", "\u2028", `"},{"`, long, long[1:]}
	for _, h := range hostile {
		e := event(1)
		e.UserAgent, e.Owner, e.Err = h, h, errors.New(h)
		e.Keys = slices.Repeat([]string{h}, 1000)
		l.Observe(t.Context(), e)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(w.text(), "\x00\x1b\r\u2028") {
		t.Error("a control character was written")
	}
	list, torn := w.records(t)
	if len(list) != len(hostile) || torn != 0 {
		t.Fatalf("%d records and %d torn lines", len(list), torn)
	}
	for i, r := range list {
		if r.Event != "created" || len(r.UserAgent) > 520 || len(r.Keys) > 64 || i < 3 && r.UserAgent != hostile[i] {
			t.Errorf("%q became %.80q", hostile[i], r.UserAgent)
		}
	}
}

func TestLogKinds(t *testing.T) {
	kinds := []sojourn.EventKind{sojourn.EventCreated, sojourn.EventRenewed, sojourn.EventExtended, sojourn.EventChanged, sojourn.EventEnded,
		sojourn.EventOwnerRevoked, sojourn.EventReplayed, sojourn.EventRejected, sojourn.EventDuplicate, sojourn.EventUnavailable, sojourn.EventCorrupt}
	var w, all sink
	l, m := open(t, &w, nil), open(t, &all, &audit.Options{Kinds: kinds})
	for _, k := range kinds {
		l.Observe(t.Context(), sojourn.Event{Kind: k})
		m.Observe(t.Context(), sojourn.Event{Kind: k})
	}
	if err := errors.Join(l.Close(), m.Close()); err != nil {
		t.Fatal(err)
	}
	list, _ := w.records(t)
	every, _ := all.records(t)
	if len(list) != len(kinds)-2 || len(every) != len(kinds) {
		t.Errorf("%d and %d of %d", len(list), len(every), len(kinds))
	}
	for _, r := range list {
		if r.Event == "changed" || r.Event == "extended" || r.Time == "0001-01-01T00:00:00.000Z" {
			t.Errorf("%+v", r)
		}
	}
}

// A writer that hangs holds no request up; what is lost is counted and told.
func TestLogOverflow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		w := &sink{fault: func(call int, _ []byte) (int, error) {
			if call == 1 {
				<-hang
			}
			return 0, nil
		}}
		l := open(t, w, &audit.Options{Queue: 10})
		l.Observe(t.Context(), event(0))
		synctest.Wait() // it hangs in the writer
		begin := time.Now()
		for i := range 30 {
			l.Observe(t.Context(), event(i+1))
		}
		if time.Since(begin) != 0 {
			t.Error("a request waited")
		}
		if s := l.Stats(); s.Dropped != 20 || s.Waiting != 10 {
			t.Errorf("%+v", s)
		}
		close(hang)
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		list, torn := w.records(t)
		var lost uint64
		seen := map[uint64]bool{}
		for _, r := range list {
			if seen[r.Seq] {
				t.Errorf("number %d twice", r.Seq)
			}
			seen[r.Seq] = true
			if r.Event == "dropped" {
				lost += r.Count
			}
		}
		if len(list) != 12 || lost != 20 || torn != 0 || !slices.ContainsFunc(list, func(r audit.Record) bool { return r.Seq == 32 }) {
			t.Errorf("%d records, %d reported as lost: %+v", len(list), lost, list)
		}
	})
}

// Drops are told when there is room, not at the end.
func TestLogTellsDropsWhenThereIsRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		w := &sink{fault: func(call int, _ []byte) (int, error) {
			if call <= 2 {
				<-hang
			}
			return 0, nil
		}}
		l := open(t, w, &audit.Options{Queue: 1})
		l.Observe(t.Context(), event(0))
		synctest.Wait()
		l.Observe(t.Context(), event(1))
		hang <- struct{}{} // the first is written, the second hangs
		synctest.Wait()
		l.Observe(t.Context(), event(2))
		l.Observe(t.Context(), event(3)) // no room
		close(hang)
		synctest.Wait()
		if !strings.Contains(w.text(), `"event":"dropped","count":1`) {
			t.Errorf("not told: %s", w.text())
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
}

// A full disk loses lines, says so in its log, and tells how many once it can.
func TestLogWriterFails(t *testing.T) {
	full := errors.New("no space left on device")
	var said bytes.Buffer
	w := &sink{fault: func(call int, b []byte) (int, error) {
		if call >= 2 && call <= 4 {
			return min(7, len(b)), full // in the middle of a line
		}
		return len(b), nil
	}}
	l := open(t, w, &audit.Options{Logger: slog.New(slog.NewTextHandler(&said, nil))})
	for i := range 6 {
		l.Observe(t.Context(), event(i))
		for end := time.Now().Add(5 * time.Second); l.Stats().Written+l.Stats().Dropped < uint64(i+1) && time.Now().Before(end); {
			runtime.Gosched()
		}
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	list, torn := w.records(t)
	var lost uint64
	for _, r := range list {
		lost += r.Count
	}
	if s := l.Stats(); s.Written != 3 || s.Dropped != 3 || lost != 3 || torn == 0 || len(list) != 4 {
		t.Errorf("%+v, %d told, %d torn, %+v", s, lost, torn, list)
	}
	if n := strings.Count(said.String(), "cannot be written"); n != 1 || !strings.Contains(said.String(), "no space") || !strings.Contains(said.String(), "again") {
		t.Errorf("the operator reads %s", said.String())
	}

	always := open(t, &sink{fault: func(int, []byte) (int, error) { return 0, full }}, nil)
	always.Observe(t.Context(), event(1))
	if err := always.Close(); err == nil || !strings.Contains(err.Error(), "1 records") {
		t.Errorf("Close of a log that wrote nothing: %v", err)
	}
}

func TestLogCloseDoesNotHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		w := &sink{fault: func(int, []byte) (int, error) { <-hang; return 0, nil }}
		l := open(t, w, &audit.Options{CloseTimeout: time.Second})
		l.Observe(t.Context(), event(1))
		begin := time.Now()
		if err := l.Close(); err == nil || time.Since(begin) != time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		l.Observe(t.Context(), event(2)) // no panic
		close(hang)
		synctest.Wait()
		if err := l.Close(); err != nil || !strings.Contains(w.text(), `"event":"dropped","count":1`) {
			t.Errorf("a second Close: %v; event 2 is not told of: %s", err, w.text())
		}
	})
}

func TestLogParallel(t *testing.T) {
	var w sink
	l := open(t, &w, &audit.Options{Queue: 100})
	var work sync.WaitGroup
	for range 8 {
		work.Go(func() {
			for i := range 500 {
				l.Observe(context.Background(), event(i))
			}
		})
	}
	work.Wait()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	list, torn := w.records(t)
	var last, lost, events uint64
	for _, r := range list {
		if r.Event == "dropped" {
			lost += r.Count
			continue
		}
		events++
		if r.Seq <= last {
			t.Fatalf("number %d after %d", r.Seq, last)
		}
		last = r.Seq
	}
	if events+lost != 4000 || torn != 0 {
		t.Errorf("%d written, %d lost, %d torn", events, lost, torn)
	}
}

func TestOpenRefuses(t *testing.T) {
	for what, f := range map[string]func() (*audit.Log, error){
		"no writer":        func() (*audit.Log, error) { return audit.Open(nil, nil) },
		"a negative queue": func() (*audit.Log, error) { return audit.Open(new(sink), &audit.Options{Queue: -1}) },
		"a negative time":  func() (*audit.Log, error) { return audit.Open(new(sink), &audit.Options{CloseTimeout: -1}) },
	} {
		if _, err := f(); !errors.Is(err, sojourn.ErrInvalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
