package sojourn_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

// from asks from an address, with a token or without one.
func (s *site) from(addr, token, path string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", path, nil)
	r.RemoteAddr = net.JoinHostPort(addr, "4711")
	if token != "" {
		r.Header.Set("Cookie", "__Host-sojourn="+token)
	}
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, r)
	return w
}

// sourceSite answers errors as most applications do.
func sourceSite(t *testing.T, opt *sojourn.Options) *site {
	s := newSite(t, opt)
	s.mux.HandleFunc("/begin", func(w http.ResponseWriter, r *http.Request) {
		if err := keyK.Set(r.Context(), "v"); err != nil {
			s.m.Error(w, r, err)
		}
	})
	s.mux.HandleFunc("/in", func(w http.ResponseWriter, r *http.Request) {
		if err := session(r.Context()).Login(r.Context(), "ada"); err != nil {
			s.m.Error(w, r, err)
		}
	})
	return s
}

// A source may begin so many sessions in a minute; others are not concerned, and
// neither are those who have one.
func TestLimitOfCreations(t *testing.T) {
	s := sourceSite(t, &sojourn.Options{MaxCreations: 10})
	for i := range 25 {
		w := s.from("192.0.2.7", "", []string{"/begin", "/in"}[i%2])
		want := 200
		if i >= 10 {
			want = 429
		}
		if w.Code != want || w.Code == 429 && (w.Header().Get("Retry-After") != "6" || len(w.Result().Cookies()) != 0 || !strings.Contains(w.Body.String(), `"code":"rate_limited"`)) {
			t.Fatalf("creation %d: %d, Retry-After %q, %s", i, w.Code, w.Header().Get("Retry-After"), w.Body)
		}
	}
	if n := len(s.store.Store.(*mapStore).recs); n != 10 {
		t.Errorf("%d records", n)
	}
	other := s.from("192.0.2.8", "", "/begin")
	if other.Code != 200 {
		t.Errorf("another source: %d", other.Code)
	}
	if w := s.from("192.0.2.7", other.Result().Cookies()[0].Value, "/in"); w.Code != 200 {
		t.Errorf("a login of a visitor who has a session: %d", w.Code)
	}
	if w := s.from("192.0.2.7", "", "/get/k"); w.Code != 200 {
		t.Errorf("a request that stores nothing: %d", w.Code)
	}
	s.pass(6 * time.Second)
	if a, b := s.from("192.0.2.7", "", "/begin"), s.from("192.0.2.7", "", "/begin"); a.Code != 200 || b.Code != 429 {
		t.Errorf("6 s later: %d and %d, expected one more", a.Code, b.Code)
	}
	s.pass(time.Minute)
	for i := range 10 {
		if w := s.from("192.0.2.7", "", "/begin"); w.Code != 200 {
			t.Errorf("a minute later, creation %d: %d", i, w.Code)
		}
	}
}

// One subscriber has at least a /64; IPv4 in IPv6 clothes is IPv4; what is no
// address is not limited.
func TestLimitSources(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true},
		{"2001:db8:1:2::1", "2001:db8:1:3::1", false},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"@", "@", false},
	} {
		s := sourceSite(t, &sojourn.Options{MaxCreations: 1})
		s.from(c.a, "", "/begin")
		if w := s.from(c.b, "", "/begin"); (w.Code == 429) != c.same {
			t.Errorf("%s after %s: %d", c.b, c.a, w.Code)
		}
	}
}

// Guessing is answered without asking the store; a token that opened a session
// from there goes on to.
func TestLimitOfMisses(t *testing.T) {
	s := sourceSite(t, &sojourn.Options{MaxMisses: 20})
	ada := s.from("192.0.2.7", "", "/in").Result().Cookies()[0].Value
	if w := s.from("192.0.2.7", ada, "/owner"); w.Body.String() != "ada" {
		t.Fatal(w.Code)
	}
	quiet := s.from("192.0.2.9", "", "/in").Result().Cookies()[0].Value
	guess := func(i int) string {
		if i%2 == 0 { // a live ID with a wrong secret
			return ada[:32] + fmt.Sprintf("%024d", i)
		}
		return fmt.Sprintf("%056d", i)
	}
	before := s.store.calls.Load()
	blocked := 0
	for i := range 1000 {
		if w := s.from("192.0.2.7", guess(i), "/get/k"); w.Code == 429 {
			blocked++
		} else if w.Code != 200 || blocked > 0 {
			t.Fatalf("guess %d: %d", i, w.Code)
		}
	}
	if calls := s.store.calls.Load() - before; calls != 20 || blocked != 980 {
		t.Errorf("%d store calls and %d refusals, expected 20 and 980", calls, blocked)
	}
	if w := s.from("192.0.2.7", ada, "/owner"); w.Body.String() != "ada" {
		t.Errorf("who was logged in there: %d", w.Code)
	}
	if w := s.from("192.0.2.7", "", "/plain"); w.Code != 200 {
		t.Errorf("a visitor without a cookie: %d", w.Code)
	}
	if w := s.from("192.0.2.8", guess(1), "/get/k"); w.Code != 200 {
		t.Errorf("another source: %d", w.Code)
	}
	if w := s.from("192.0.2.7", quiet, "/owner"); w.Code != 429 || w.Header().Get("Retry-After") == "" || len(w.Result().Cookies()) != 0 {
		t.Errorf("a token not seen here before: %d %q", w.Code, w.Header())
	}
	s.pass(4 * time.Second)
	if w := s.from("192.0.2.7", quiet, "/owner"); w.Body.String() != "ada" {
		t.Errorf("the same 4 s later: %d", w.Code)
	}
}

// A tombstone is an answer, no miss: a page of a user who was logged out asks
// again and again.
func TestLimitEndedIsNoMiss(t *testing.T) {
	s := sourceSite(t, &sojourn.Options{MaxMisses: 5})
	c := s.client()
	c.ok("/in")
	token := c.token
	c.ok("/logout")
	for range 50 {
		if w := s.from("192.0.2.1", token, "/status"); w.Body.String() != "ended logout" {
			t.Fatalf("%d %q", w.Code, w.Body)
		}
	}
}

// However many sources there are, memory is bounded, nobody is blocked for
// another's sake, and who came last is remembered.
func TestLimitMemory(t *testing.T) {
	s := sourceSite(t, &sojourn.Options{MaxCreations: 1})
	if refused := sojourn.FloodSources(s.m, 200_000); refused > 0 {
		t.Errorf("%d of 200,000 sources were refused their first session", refused)
	}
	if n := sojourn.SourcesKept(s.m); n > 1<<16 {
		t.Errorf("%d sources kept", n)
	}
	s.from("192.0.2.1", "", "/begin")
	if w := s.from("192.0.2.1", "", "/begin"); w.Code != 429 {
		t.Errorf("in the crowd, a second session: %d", w.Code)
	}
}

func TestLimitOptions(t *testing.T) {
	for _, o := range []sojourn.Options{{MaxCreations: -1}, {MaxMisses: -1}, {MaxMisses: 1 << 21}} {
		if _, err := sojourn.New(newMapStore(), &o); !errors.Is(err, sojourn.ErrInvalid) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// 100,000 requests without a cookie, on every kind of page that reads: no record,
// no cookie, no store call (Django CVE-2015-5143, CVE-2015-5963).
func TestLimitCookielessRequestsMakeNoRecords(t *testing.T) {
	s := newSite(t, nil)
	s.handle("/reads", func(ctx context.Context, _ *http.Request) (any, error) {
		ss := session(ctx)
		_, e1 := ss.Exists(ctx)
		_, e2 := ss.Status(ctx)
		_, e3 := ss.Owner(ctx)
		_, e4 := keyK.Get(ctx)
		return "", errors.Join(e1, e2, e3, e4, ss.Logout(ctx))
	})
	paths := []string{"/plain", "/reads", "/get/k", "/count", "/logout"}
	var crowd sync.WaitGroup
	for part := range 4 {
		crowd.Go(func() {
			for i := range 25_000 {
				w := s.from("192.0.2."+strconv.Itoa(part), "", paths[i%len(paths)])
				if w.Code != 200 || len(w.Result().Cookies()) != 0 {
					t.Errorf("%s: %d, cookies %v", paths[i%len(paths)], w.Code, w.Result().Cookies())
					return
				}
			}
		})
	}
	crowd.Wait()
	if n, calls := len(s.store.Store.(*mapStore).recs), s.store.calls.Load(); n != 0 || calls != 0 {
		t.Errorf("%d records, %d store calls, expected none", n, calls)
	}
}

// What a sibling domain can plant, 175 cookies of 3.9 kB, is answered 431 by a
// real server, whose own limit is a megabyte.
func TestLimitCookieBomb(t *testing.T) {
	s := newSite(t, nil)
	server := httptest.NewServer(s.h)
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go func() {
		io.WriteString(conn, "GET /owner HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\nCookie: a=b")
		for i := range 175 {
			fmt.Fprintf(conn, "; bomb%d=%s", i, strings.Repeat("x", 3900))
		}
		io.WriteString(conn, "\r\n\r\n")
	}()
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusRequestHeaderFieldsTooLarge || s.store.calls.Load() != 0 {
		t.Errorf("%d after %d store calls, expected 431 after none", answer.StatusCode, s.store.calls.Load())
	}
}

// What comes at the same moment is counted as what comes one after the other.
func TestCreationsAtOnce(t *testing.T) {
	s := newSite(t, &sojourn.Options{MaxCreations: 1})
	for i := range 2000 {
		source := netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
		if refused := sojourn.BeginAtOnce(s.m, source, 16); refused != 15 {
			t.Fatalf("round %d: %d of 16 refused, expected 15", i, refused)
		}
	}
}
