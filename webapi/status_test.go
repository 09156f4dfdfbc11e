package webapi

import (
	"net/http"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

func TestStatusShape(t *testing.T) {
	s := newSite(t, nil)
	p := s.page()
	if m := p.status(); len(m) != 1 || m["state"] != "none" {
		t.Errorf("without a session: %v", m)
	}
	p = s.login("ada")
	s.advance(time.Minute)
	m := p.status()
	h, _ := m["h"].(string)
	if len(h) != 16 {
		t.Errorf("h is %q, want 16 characters", h)
	}
	delete(m, "h")
	delete(m, "rev")
	want := map[string]any{"state": "active", "expires_in_ms": 840e3, "idle_ms": 900e3, "absolute_in_ms": 28740e3, "warn_ms": 120e3, "extendable": true, "u": userHandle("ada")}
	for k, v := range want {
		if m[k] != v {
			t.Errorf("%s is %v, want %v", k, m[k], v)
		}
	}
	if len(m) != len(want) {
		t.Errorf("members %v, want those of %v", m, want)
	}
	p.want(p.do("DELETE", "", `{"scope":"this"}`), 204)
}

// An ended session is told apart from none, with its reason, and never by 401.
func TestStatusEnded(t *testing.T) {
	s := newSite(t, nil)
	for reason, end := range map[string]func(p *page){
		"expired": func(p *page) { s.advance(16 * time.Minute) },
		"revoked": func(p *page) {
			list, err := s.manager.List(t.Context(), "ada")
			if err != nil || len(list) != 1 {
				t.Fatal(list, err)
			}
			s.manager.Revoke(t.Context(), list[0].ID, sojourn.ReasonRevoked)
		},
	} {
		p := s.login("ada")
		h := p.status()["h"]
		end(p)
		m := p.status()
		if m["state"] != "ended" || m["reason"] != reason || m["h"] != h {
			t.Errorf("after %s: %v", reason, m)
		}
		if m := p.fails(p.do("GET", "data", ""), codeSessionEnded); m["reason"] != reason {
			t.Errorf("reason %v, want %s", m["reason"], reason)
		}
	}
}

// P8, idle means idle: asking, reading and listing in the background never
// extend a session, however often and however they are marked.
func TestP8StatusNeverExtends(t *testing.T) {
	s := newSite(t, &Options{Readable: []string{"cart"}, AllowDevices: true})
	p := s.login("ada")
	for range 14 {
		s.advance(time.Minute)
		p.do("GET", "status", "", headerActivity, "user")
		p.want(p.do("HEAD", "status", ""), 200)
		p.want(p.do("GET", "data", ""), 200)
		p.want(p.do("GET", "devices", ""), 200)
		p.fails(p.do("GET", "data/cart", ""), codeNoMember)
		p.want(p.do("OPTIONS", "data", ""), 204)
	}
	if got := p.status()["expires_in_ms"]; got != 60e3 {
		t.Errorf("after 14 of 15 minutes %v ms are left, want 60000", got)
	}
	s.advance(time.Minute - time.Millisecond)
	if got := p.status()["state"]; got != "active" {
		t.Errorf("just before the deadline: %v", got)
	}
	s.advance(time.Millisecond)
	if got := p.status()["state"]; got != "ended" {
		t.Errorf("at the deadline: %v", got)
	}
}

// P8, the other half: what the user does counts.
func TestP8UseExtends(t *testing.T) {
	for name, use := range map[string]func(p *page){
		"a read marked as the user's": func(p *page) { p.want(p.do("GET", "data", "", headerActivity, "user"), 200) },
		"a write":                     func(p *page) { p.want(p.do("PUT", "data/cart", `1`, "If-Match", "*"), 200) },
		"an extension":                func(p *page) { p.want(p.do("POST", "extend", ""), 200) },
		"reported input":              func(p *page) { p.want(p.do("POST", "extend", `{"cause":"activity","active_ms_ago":1200}`), 200) },
		"the application":             func(p *page) { p.want(p.do("GET", "/use", ""), 200) },
	} {
		s := newSite(t, &Options{Readable: []string{"cart"}, Writable: []string{"cart"}})
		p := s.login("ada")
		s.advance(10 * time.Minute)
		use(p)
		s.manager.Close() // touches under way
		if got := p.status()["expires_in_ms"]; got != 900e3 {
			t.Errorf("after %s %v ms are left, want 900000", name, got)
		}
	}
}

// A write in the background, such as a timer's autosave, can say so.
func TestP8MarkedWriteDoesNotExtend(t *testing.T) {
	s := newSite(t, &Options{Writable: []string{"cart"}})
	p := s.login("ada")
	s.advance(10 * time.Minute)
	p.want(p.do("PUT", "data/cart", `1`, "If-Match", "*", headerActivity, "none"), 200)
	if got := p.status()["expires_in_ms"]; got != 300e3 {
		t.Errorf("%v ms are left, want 300000", got)
	}
}

func TestExtend(t *testing.T) {
	s := newSite(t, nil)
	p := s.login("ada")
	left := func(body string) any {
		t.Helper()
		return p.want(p.do("POST", "extend", body), 200)["expires_in_ms"]
	}
	s.advance(5 * time.Minute)
	if got := left(`{"cause":"activity","active_ms_ago":300000}`); got != 600e3 {
		t.Errorf("activity no later than the last: %v ms left, want 600000", got)
	}
	if got := left(`{"cause":"activity","active_ms_ago":90001}`); got != 600e3 {
		t.Errorf("activity longer ago than a tenth of idle: %v ms left, want 600000", got)
	}
	s.manager.Close() // touches under way
	if got := p.status()["expires_in_ms"]; got != 600e3 {
		t.Errorf("a report that moves nothing counted as use itself: %v ms left, want 600000", got)
	}
	if got := left(`{"cause":"activity","active_ms_ago":90000}`); got != 900e3 {
		t.Errorf("fresh activity: %v ms left, want 900000", got)
	}
	s.advance(30 * time.Second)
	if got := left(`{"cause":"activity","active_ms_ago":30000}`); got != 870e3 {
		t.Errorf("fresh activity, but known already: %v ms left, want 870000", got)
	}
	s.advance(5 * time.Minute)
	if got := left(`{"cause":"user","active_ms_ago":299999.5,"later":true}`); got != 900e3 {
		t.Errorf("a user's wish: %v ms left, want 900000", got)
	}
	for _, bad := range []string{`{"cause":"timer"}`, `{"cause":1}`, `{"active_ms_ago":-1}`, `{"active_ms_ago":"1"}`, `[]`, `null`} {
		p.fails(p.do("POST", "extend", bad), codeInvalidRequest)
	}
	// WCAG 2.2.1: at least ten times.
	for range 10 {
		s.advance(14 * time.Minute)
		left("")
	}
}

func TestWarnFitsShortSessions(t *testing.T) {
	s := newSite(t, &Options{WarnBefore: 5 * time.Minute}, func(o *sojourn.Options) { o.Policy.Idle = time.Minute })
	if got := s.login("ada").status()["warn_ms"]; got != 30e3 {
		t.Errorf("warn_ms is %v, want half of idle", got)
	}
}

// Nothing is loaded and no cookie is set for a visitor without one, and nothing
// of this API may be kept by a cache.
func TestP10StatusOfNobody(t *testing.T) {
	s := newSite(t, nil)
	s.store.down.Store(true)
	w := s.page().do("GET", "status", "")
	if w.Code != http.StatusOK || w.Header().Get("Set-Cookie") != "" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

// P9: a store that fails is no end of a session, also in this API.
func TestP9OutageIsNotALogout(t *testing.T) {
	s := newSite(t, &Options{Writable: []string{"cart"}, AllowDevices: true})
	p := s.login("ada")
	s.store.down.Store(true)
	for _, c := range [][3]string{{"GET", "status"}, {"GET", "data"}, {"POST", "extend"}, {"PUT", "data/cart", "1"}, {"PATCH", "data", `{"cart":1}`}, {"DELETE", ""}, {"GET", "devices"}} {
		w := p.do(c[0], c[1], c[2], "If-Match", "*")
		p.fails(w, codeStoreUnavailable)
		if w.Header().Get("Retry-After") == "" || w.Header().Get("Set-Cookie") != "" || w.Header().Get("Clear-Site-Data") != "" {
			t.Errorf("%s %s: headers %v", c[0], c[1], w.Header())
		}
	}
	s.store.down.Store(false)
	if got := p.status()["state"]; got != "active" {
		t.Errorf("after the outage: %v", got)
	}
}
