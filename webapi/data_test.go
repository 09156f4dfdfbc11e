package webapi

import (
	"fmt"
	"io"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/sojournhq/sojourn"
)

func TestDefaultDeny(t *testing.T) {
	s := newSite(t, nil)
	p := s.login("ada")
	p.want(p.do("POST", "/set?key=secret&value=canary", ""), 200)
	w := p.do("GET", "data", "")
	if m := p.want(w, 200); len(m["data"].(map[string]any)) != 0 || strings.Contains(w.Body.String(), "canary") {
		t.Errorf("undeclared data is shown: %s", w.Body)
	}
	p.fails(p.do("GET", "data/secret", ""), codeNotReadable)
	p.fails(p.do("GET", "data/absent", ""), codeNotReadable) // no oracle of what there is
	for _, method := range []string{"PUT", "DELETE"} {
		p.fails(p.do(method, "data/secret", "1", "If-Match", "*"), codeNotWritable)
	}
	if m := p.fails(p.do("PATCH", "data", `{"secret":null}`, "If-Match", "*"), codeNotWritable); m["key"] != "secret" {
		t.Errorf("the problem names %v", m["key"])
	}
	p.fails(p.do("GET", "devices", ""), codeNotFound)
	p.fails(p.do("DELETE", "devices/x", ""), codeNotFound)
}

func TestDataRoundTrip(t *testing.T) {
	s := newSite(t, &Options{Readable: []string{"cart", "ui.*"}, Writable: []string{"cart", "ui.*", "inbox"}})
	p := s.login("ada")
	w := p.do("PUT", "data/cart", ` {"n": 1} `, "If-Match", p.rev())
	m := p.want(w, 200)
	rev := fmt.Sprintf(`"%.0f"`, m["rev"])
	if w.Header().Get("ETag") != rev || m["h"] != p.status()["h"] || w.Header().Get(headerHandle) != m["h"] {
		t.Errorf("PUT: %v %v", w.Header(), m)
	}
	w = p.do("GET", "data/cart", "")
	if p.want(w, 200); w.Body.String() != "{\"n\":1}\n" || w.Header().Get("ETag") != rev {
		t.Errorf("GET: %q, ETag %s", w.Body, w.Header().Get("ETag"))
	}
	w = p.do("PATCH", "data", `{"cart":null,"ui.theme":{"a":{"b":null}},"ui.n":1e400,"inbox":"x"}`, "If-Match", rev)
	p.want(w, 200)
	if w.Header().Get("ETag") == rev {
		t.Error("a write left the revision as it was")
	}
	w = p.do("GET", "data", "")
	p.want(w, 200)
	if !strings.Contains(w.Body.String(), `"data":{"ui.n":1e400,"ui.theme":{"a":{"b":null}}}`) {
		t.Errorf("GET: %s", w.Body)
	}
	p.fails(p.do("GET", "data/inbox", ""), codeNotReadable) // writable only
	p.want(p.do("DELETE", "data/ui.n", "", "If-Match", "*"), 200)
	w = p.do("GET", "data/ui.n", "")
	if p.fails(w, codeNoMember); w.Header().Get("ETag") != p.rev() {
		t.Errorf("an absent member has ETag %q", w.Header().Get("ETag"))
	}
	p.want(p.do("PUT", "data/ui.a%2Fb%25%20%C3%A4", `null`, "If-Match", "*"), 200)
	m = p.want(p.do("GET", "data", ""), 200)
	want := map[string]any{"ui.a/b% ä": nil, "ui.theme": map[string]any{"a": map[string]any{"b": nil}}}
	if !reflect.DeepEqual(m["data"], want) {
		t.Errorf("data %v, want %v", m["data"], want)
	}
}

func TestPreconditionRequired(t *testing.T) {
	s := newSite(t, &Options{Writable: []string{"cart"}})
	p := s.login("ada")
	p.fails(p.do("PUT", "data/cart", "1"), codePreconditionRequired)
	p.fails(p.do("DELETE", "data/cart", ""), codePreconditionRequired)
	p.fails(p.do("PATCH", "data", "{}"), codePreconditionRequired)
	for _, bad := range []string{`17`, `"`, `"1","2"`, `"1", *`, `W/1`, `""1"`} {
		p.fails(p.do("PUT", "data/cart", "1", "If-Match", bad), codeInvalidRequest)
	}
	for _, never := range []string{`W/` + p.rev(), `"0` + p.rev()[1:], `"abc"`, `""`, `"-1"`, `"99999999999999999999999"`} {
		p.fails(p.do("PUT", "data/cart", "1", "If-Match", never), codeRevConflict)
	}
}

// Of two tabs that write from the same state one wins, and the other is given
// what it has to merge with.
func TestP2RevConflict(t *testing.T) {
	s := newSite(t, &Options{Readable: []string{"cart"}, Writable: []string{"cart"}})
	p := s.login("ada")
	p.want(p.do("POST", "/set?key=hidden&value=canary", ""), 200)
	rev := p.rev()
	p.want(p.do("PUT", "data/cart", `"first"`, "If-Match", rev), 200)
	w := p.do("PATCH", "data", `{"cart":"second"}`, "If-Match", rev)
	m := p.fails(w, codeRevConflict)
	if got := fmt.Sprintf(`"%.0f"`, m["rev"]); got != w.Header().Get("ETag") || got != p.rev() || got == rev {
		t.Errorf("rev %s, ETag %s, stored %s, sent %s", got, w.Header().Get("ETag"), p.rev(), rev)
	}
	if !reflect.DeepEqual(m["data"], map[string]any{"cart": "first"}) || strings.Contains(w.Body.String(), "canary") {
		t.Errorf("conflict shows %v", m["data"])
	}
	p.want(p.do("PATCH", "data", `{"cart":"merged"}`, "If-Match", w.Header().Get("ETag")), 200)
}

func TestP2ParallelWritersOneWins(t *testing.T) {
	s := newSite(t, &Options{Writable: []string{"cart"}})
	p := s.login("ada")
	rev := p.rev()
	s.store.slow.Store(true) // so that all have read before the first has written
	counts := map[int]int{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			tab := s.page()
			tab.cookie = p.cookie
			w := tab.do("PUT", "data/cart", fmt.Sprint(i), "If-Match", rev)
			mu.Lock()
			defer mu.Unlock()
			counts[w.Code]++
			if w.Code == 412 && w.Header().Get("ETag") == rev {
				t.Error("a conflict offers the revision that it refused")
			}
		})
	}
	wg.Wait()
	if counts[200] != 1 || counts[412] != 15 {
		t.Errorf("answers %v, want one 200 and fifteen 412", counts)
	}
}

// All or nothing: one refused key refuses the patch.
func TestPatchIsAtomic(t *testing.T) {
	s := newSite(t, &Options{Readable: []string{"cart"}, Writable: []string{"cart"}})
	p := s.login("ada")
	p.fails(p.do("PATCH", "data", `{"cart":1,"other":1}`, "If-Match", "*"), codeNotWritable)
	p.fails(p.do("GET", "data/cart", ""), codeNoMember)
}

// A tab that was loaded under another session learns so before it writes there.
func TestHandleIsAPrecondition(t *testing.T) {
	s := newSite(t, &Options{Readable: []string{"cart"}, Writable: []string{"cart"}})
	p := s.login("ada")
	old := p.status()["h"].(string)
	p.want(p.do("GET", "data", "", headerHandle, old), 200)
	p.want(p.do("POST", "/login?user=bob", ""), 200)
	if p.status()["h"] == old {
		t.Error("another user has the same handle")
	}
	p.fails(p.do("GET", "data", "", headerHandle, old), codeSessionChanged)
	p.fails(p.do("PUT", "data/cart", "1", "If-Match", "*", headerHandle, old), codeSessionChanged)
	p.fails(p.do("DELETE", "", "", headerHandle, old), codeSessionChanged)
	p.fails(p.do("POST", "extend", "", headerHandle, old), codeSessionChanged)
}

func TestVisibilityIsChecked(t *testing.T) {
	m := newSite(t, nil).manager
	for _, bad := range []string{"", "*", "a*b", "**", "a**", "\xff", strings.Repeat("x", 129)} {
		if _, err := New(m, &Options{Readable: []string{bad}}); err == nil {
			t.Errorf("Readable %q was taken", bad)
		}
		if _, err := New(m, &Options{Writable: []string{bad}}); err == nil {
			t.Errorf("Writable %q was taken", bad)
		}
	}
}

// P4: the browser API begins no session, whatever it is sent.
func TestP4NeverCreates(t *testing.T) {
	s := newSite(t, &Options{Readable: []string{"cart"}, Writable: []string{"cart"}, AllowDevices: true})
	for _, cookie := range []string{"", "__Host-sojourn=" + strings.Repeat("A", 56), "__Host-sojourn=../../etc"} {
		p := s.page()
		p.cookie = cookie
		for _, c := range [][3]string{{"GET", "data"}, {"GET", "data/cart"}, {"POST", "extend"}, {"PUT", "data/cart", "1"}, {"PATCH", "data", `{"cart":1}`}, {"DELETE", "data/cart"}, {"GET", "devices"}, {"DELETE", "devices/x"}, {"DELETE", "", `{"scope":"all"}`}, {"DELETE", "", `{"scope":"others"}`}} {
			w := p.do(c[0], c[1], c[2])
			p.fails(w, codeSessionNone)
			if w.Header().Get("Set-Cookie") != "" {
				t.Errorf("%s %s set a cookie", c[0], c[1])
			}
		}
	}
}

func TestTooLarge(t *testing.T) {
	s := newSite(t, &Options{Writable: []string{"cart"}, MaxBody: 4096}, func(o *sojourn.Options) { o.MaxRecord = 1024 })
	p := s.login("ada")
	p.fails(p.do("PUT", "data/cart", `"`+strings.Repeat("x", 4095)+`"`, "If-Match", "*"), codeBodyTooLarge)
	p.fails(p.do("PUT", "data/cart", `"`+strings.Repeat("x", 4000)+`"`, "If-Match", "*"), codeSessionTooLarge)
	p.want(p.do("PUT", "data/cart", `"fits"`, "If-Match", "*"), 200)
}

// P1: a logout while a write is under way is final, and the write learns of it.
func TestP1WriteAcrossLogout(t *testing.T) {
	s := newSite(t, &Options{Writable: []string{"cart"}})
	p := s.login("ada")
	id := currentID(t, s, "ada")
	r := httptest.NewRequest("PUT", "https://example.com"+defaultPrefix+"data/cart", io.MultiReader(
		strings.NewReader("[1"),
		readerFunc(func([]byte) (int, error) {
			if err := s.manager.Revoke(t.Context(), id, "stolen"); err != nil {
				t.Error(err)
			}
			return 0, io.EOF
		}),
		strings.NewReader("]")))
	r.Header.Set("Cookie", p.cookie)
	r.Header.Set("If-Match", "*")
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(headerCSRF, "1")
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	if m := p.fails(w, codeSessionEnded); m["reason"] != "stolen" {
		t.Errorf("reason %v", m["reason"])
	}
	if m := p.status(); m["state"] != "ended" {
		t.Errorf("afterwards: %v", m)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// The revision a write answers with is its own, not that of another tab's write
// which reached the store together with it: otherwise its next write would pass
// over what it has not seen.
func TestP2RevisionIsOfOwnWrite(t *testing.T) {
	s := newSite(t, &Options{Writable: []string{"tab*"}})
	p := s.login("ada")
	s.store.slow.Store(true) // so that commits queue up and leave together
	revisions := make([]string, 12)
	var wg sync.WaitGroup
	for i := range revisions {
		wg.Go(func() {
			tab := s.page()
			tab.cookie = p.cookie
			w := tab.do("PUT", fmt.Sprint("data/tab", i), "1", "If-Match", "*")
			if w.Code == 200 {
				revisions[i] = w.Header().Get("ETag")
			}
		})
	}
	wg.Wait()
	seen := map[string]int{}
	for i, rev := range revisions {
		if before, twice := seen[rev]; twice || rev == "" {
			t.Errorf("tabs %d and %d were both given revision %q", before, i, rev)
		}
		seen[rev] = i
	}
}
