package sojourn_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

// limited runs f in a request of a session and returns the answer.
func limited(t *testing.T, s *site, token string, f func(ctx context.Context)) answer {
	t.Helper()
	h := s.m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f(r.Context()) }))
	var shapes []shape
	if token != "" {
		shapes = append(shapes, cookies("__Host-sojourn="+token))
	}
	return exchange(h, "GET", "/", shapes...)
}

// A change beyond a limit is refused when it is made, says so, and spoils
// nothing else of the request.
func TestLimits(t *testing.T) {
	long := strings.Repeat("x", 1020)
	for _, c := range []struct {
		name string
		opt  sojourn.Options
		over func(ctx context.Context) error
		is   error
		want string // part of the text
	}{
		{"record", sojourn.Options{MaxRecord: 1024}, func(ctx context.Context) error { return keyL.Set(ctx, long) }, sojourn.ErrTooLarge, "it may have 1024"},
		{"one member beyond the record", sojourn.Options{MaxRecord: 1024}, func(ctx context.Context) error { return keyL.Set(ctx, long+long) }, sojourn.ErrTooLarge, `"late" has 2042 bytes, the session may have 1024`},
		{"record, by Update", sojourn.Options{MaxRecord: 1024}, func(ctx context.Context) error {
			_, err := keyL.Update(ctx, func(string) (string, error) { return long, nil })
			return err
		}, sojourn.ErrTooLarge, "it may have 1024"},
		{"members", sojourn.Options{MaxMembers: 2}, func(ctx context.Context) error {
			if err := sojourn.Key[int]("second").Set(ctx, 2); err != nil {
				return fmt.Errorf("the second: %v", err)
			}
			return keyL.Set(ctx, "third")
		}, sojourn.ErrTooLarge, "3 members, the session may have 2"},
		{"key length", sojourn.Options{}, func(ctx context.Context) error {
			if err := sojourn.Key[int](long[:128]).Set(ctx, 1); err != nil {
				return fmt.Errorf("the longest: %v", err)
			}
			return sojourn.Key[int](long[:129]).Set(ctx, 1)
		}, sojourn.ErrTooLarge, "129 bytes, expected at most 128"},
		{"counter's key length", sojourn.Options{MaxKey: 3}, func(ctx context.Context) error {
			_, err := sojourn.Counter("four").Add(ctx, 1)
			return err
		}, sojourn.ErrTooLarge, "4 bytes, expected at most 3"},
		{"empty key", sojourn.Options{}, func(ctx context.Context) error { return sojourn.Key[int]("").Set(ctx, 1) }, sojourn.ErrInvalid, "UTF-8 text that is not empty"},
		{"key of no text", sojourn.Options{}, func(ctx context.Context) error { return sojourn.Key[int]("\xff").Set(ctx, 1) }, sojourn.ErrInvalid, `"\xff"`},
		{"value of no JSON", sojourn.Options{}, func(ctx context.Context) error { return sojourn.Key[chan int]("c").Set(ctx, nil) }, sojourn.ErrInvalid, "cannot be written as JSON"},
		{"counter overflow", sojourn.Options{}, func(ctx context.Context) error {
			if _, err := sojourn.Counter("n").Add(ctx, 1<<63-1); err != nil {
				return fmt.Errorf("the largest: %v", err)
			}
			_, err := sojourn.Counter("n").Add(ctx, 1)
			return err
		}, sojourn.ErrInvalid, "overflow"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, &c.opt)
			_, token := s.begun()
			a := limited(t, s, token, func(ctx context.Context) {
				if err := keyK.Set(ctx, "w"); err != nil {
					t.Error(err)
				}
				err := c.over(ctx)
				if !errors.Is(err, c.is) || !strings.Contains(fmt.Sprint(err), c.want) {
					t.Errorf("%v, expected %v with %q", err, c.is, c.want)
				}
				if v, ok, err := keyL.Lookup(ctx); ok || err != nil {
					t.Errorf("it is seen nevertheless: %d bytes, %v", len(v), err)
				}
			})
			if a.code != 200 {
				t.Errorf("%d %q", a.code, a.body)
			}
			if a := s.exchange("GET", "/get/k", cookies("__Host-sojourn="+token)); a.body != "w" {
				t.Errorf("k = %q, expected what was within the limits", a.body)
			}
			// A refused first change begins no session.
			if c.name != "members" && c.name != "key length" && c.name != "counter overflow" {
				a = limited(t, s, "", func(ctx context.Context) { c.over(ctx) })
				if a.code != 200 || a.header.Get("Set-Cookie") != "" || s.stored() != 1 {
					t.Errorf("nobody: %d %q, %d records", a.code, a.header.Get("Set-Cookie"), s.stored())
				}
			}
		})
	}
}

// What fits is stored, and a full session goes on: neither its renewal nor
// what the core notes of requests needs room among the members.
func TestLimitIsOfTheMembers(t *testing.T) {
	s := newSite(t, &sojourn.Options{MaxRecord: 1024})
	_, token := s.begun()
	s.handle("/fill", func(ctx context.Context, _ *http.Request) (any, error) {
		for n := 1024; n > 0; n-- {
			if err := keyL.Set(ctx, strings.Repeat("x", n)); !errors.Is(err, sojourn.ErrTooLarge) {
				return n > 900, err
			}
		}
		return "nothing fits", nil
	})
	c := &client{s: s, token: token}
	c.want("/fill", 200, "true")
	for range 12 { // 5 hours
		s.pass(25 * time.Minute)
		r := header("User-Agent", strings.Repeat(s.clock.now().String(), 4))
		if a := s.exchange("GET", "/get/k", cookies("__Host-sojourn="+c.token), r); a.body != "v" {
			t.Fatalf("%d %q", a.code, a.body)
		}
		c.want("/set/k/w", 200, "")
		c.want("/set/k/v", 200, "")
	}
}

// A limit that was lowered holds for what grows. A session beyond it is read,
// renewed and shrunk as any other.
func TestLimitLowered(t *testing.T) {
	s := newSite(t, nil)
	_, token := s.begun()
	c := &client{s: s, token: token}
	c.ok("/set/long/" + strings.Repeat("x", 3000))
	c.ok("/set/other/" + strings.Repeat("x", 3000))
	m, err := sojourn.New(s.store, &sojourn.Options{MaxRecord: 1024, MaxMembers: 1, Clock: s.clock.now})
	if err != nil {
		t.Fatal(err)
	}
	s.m, s.h = m, m.Handler(s.mux)
	for range 4 { // 100 minutes
		s.pass(25 * time.Minute)
		c.want("/get/k", 200, "v")
	}
	if c.token == token {
		t.Error("not renewed")
	}
	c.ok("/set/long/short")
	if a := c.get("/set/long/longer"); a.code != 400 {
		t.Errorf("it grows: %d %q", a.code, a.body)
	}
	if a := c.get("/set/new/x"); a.code != 400 {
		t.Errorf("one more member: %d %q", a.code, a.body)
	}
}

// Two requests that fit each, and not together: the later one is told.
func TestLimitMetAtCommit(t *testing.T) {
	s := newSite(t, &sojourn.Options{MaxRecord: 1024})
	_, token := s.begun()
	half := strings.Repeat("x", 510)
	a := limited(t, s, token, func(ctx context.Context) {
		if err := keyK.Set(ctx, half); err != nil {
			t.Error(err)
		}
		if b := limited(t, s, token, func(ctx context.Context) {
			if err := keyL.Set(ctx, half); err != nil {
				t.Error(err)
			}
		}); b.code != 200 {
			t.Errorf("the first to commit: %d %q", b.code, b.body)
		}
	})
	if a.code != http.StatusRequestEntityTooLarge {
		t.Errorf("the second: %d %q, expected 413", a.code, a.body)
	}
	if a := s.exchange("GET", "/get/late", cookies("__Host-sojourn="+token)); a.body != half {
		t.Errorf("%d bytes", len(a.body))
	}
	if a := s.exchange("GET", "/get/k", cookies("__Host-sojourn="+token)); a.body != "v" {
		t.Errorf("k has %d bytes, expected what it was", len(a.body))
	}
}

// A cookie header beyond MaxHeader is answered 431 before anything else.
func TestLimitOfTheCookieHeader(t *testing.T) {
	var got error
	s := newSite(t, &sojourn.Options{MaxHeader: 1024, ErrorHandler: func(w http.ResponseWriter, _ *http.Request, status int, err error) {
		got = err
		http.Error(w, "", status)
	}})
	_, token := s.begun()
	mine := "__Host-sojourn=" + token
	for _, c := range []struct {
		name  string
		want  int
		lines []string
	}{
		{"just fits", 200, []string{mine + "; a=" + strings.Repeat("x", 1024-len(mine)-4)}},
		{"one byte more", 431, []string{mine + "; a=" + strings.Repeat("x", 1024-len(mine)-3)}},
		{"together", 431, []string{mine, "a=" + strings.Repeat("x", 500), "b=" + strings.Repeat("x", 500)}},
	} {
		got = nil
		calls := s.store.calls.Load()
		a := s.exchange("GET", "/get/k", cookies(c.lines...))
		if a.code != c.want {
			t.Errorf("%s: %d, expected %d", c.name, a.code, c.want)
		}
		if c.want == 431 && (!errors.Is(got, sojourn.ErrTooLarge) || s.store.calls.Load() != calls) {
			t.Errorf("%s: %v, %d store calls", c.name, got, s.store.calls.Load()-calls)
		}
	}
}
