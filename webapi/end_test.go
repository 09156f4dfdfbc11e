package webapi

import (
	"net/http/httptest"
	"testing"

	"github.com/sojournhq/sojourn"
)

func TestLogoutScopes(t *testing.T) {
	for _, c := range []struct {
		body                    string
		this, other, somebodys  string
		cookieGone, siteCleared bool
	}{
		{``, "ended", "active", "active", true, true},
		{`{"scope":"this"}`, "ended", "active", "active", true, true},
		{`{"scope":"others"}`, "active", "ended", "active", false, false},
		{`{"scope":"all"}`, "ended", "ended", "active", true, true},
	} {
		s := newSite(t, nil)
		this, other, bob := s.login("ada"), s.login("ada"), s.login("bob")
		cookie := this.cookie
		w := this.do("DELETE", "", c.body)
		this.want(w, 204)
		if gone := this.cookie == ""; gone != c.cookieGone {
			t.Errorf("%s: cookie deleted: %v", c.body, gone)
		}
		if got := w.Header().Get("Clear-Site-Data"); (got == `"storage"`) != c.siteCleared {
			t.Errorf("%s: Clear-Site-Data %q", c.body, got)
		}
		this.cookie = cookie // a thief, or a tab whose answer was lost
		for p, want := range map[*page]string{this: c.this, other: c.other, bob: c.somebodys} {
			if got := p.status()["state"]; got != want {
				t.Errorf("%s: state %v, want %s", c.body, got, want)
			}
		}
	}
}

// P1, logout is final; and repeating it, because the answer was lost, succeeds.
func TestP1LogoutIsFinal(t *testing.T) {
	s := newSite(t, &Options{Writable: []string{"cart"}})
	p := s.login("ada")
	cookie := p.cookie
	p.want(p.do("DELETE", "", ""), 204)
	p.cookie = cookie
	p.want(p.do("DELETE", "", ""), 204)
	p.cookie = cookie
	if m := p.fails(p.do("PUT", "data/cart", "1", "If-Match", "*"), codeSessionEnded); m["reason"] != "logout" {
		t.Errorf("reason %v", m["reason"])
	}
	p.fails(p.do("POST", "extend", ""), codeSessionEnded)
	p.fails(p.do("DELETE", "", `{"scope":"all"}`), codeSessionEnded)
	if got := p.status()["state"]; got != "ended" {
		t.Errorf("state %v", got)
	}
	s.page().want(s.page().do("DELETE", "", ""), 204) // nobody
}

func TestLogoutOfNobody(t *testing.T) {
	for _, scope := range []string{"this", "others", "all"} {
		s := newSite(t, nil)
		p := s.page()
		p.want(p.do("POST", "/set?key=cart&value=1", ""), 200)
		p.want(p.do("DELETE", "", `{"scope":"`+scope+`"}`), 204)
		if gone := p.cookie == ""; gone != (scope != "others") {
			t.Errorf("%s: cookie deleted: %v", scope, gone)
		}
	}
}

func TestLogoutRejectsUnknownScope(t *testing.T) {
	p := newSite(t, nil).login("ada")
	for _, bad := range []string{`{"scope":"everyone"}`, `{"scope":""}`, `{"scope":1}`, `{"scope":["this"]}`, `"this"`} {
		p.fails(p.do("DELETE", "", bad), codeInvalidRequest)
	}
	if got := p.status()["state"]; got != "active" {
		t.Errorf("state %v", got)
	}
}

func TestClearSiteData(t *testing.T) {
	for _, c := range []struct {
		opt           Options
		insecure, tls bool
		want          string
	}{
		{Options{}, false, true, `"storage"`},
		{Options{}, false, false, `"storage"`}, // behind a proxy: the Secure cookie tells
		{Options{}, true, false, ``},
		{Options{}, true, true, `"storage"`},
		{Options{ClearCache: true}, false, true, `"cache", "storage"`},
		{Options{ClearCache: true, KeepStorage: true}, false, true, `"cache"`},
		{Options{KeepStorage: true}, false, true, ``},
	} {
		s := newSite(t, &c.opt, func(o *sojourn.Options) { o.Cookie.Insecure = c.insecure })
		p := s.login("ada")
		r := httptest.NewRequest("DELETE", "http://example.com"+defaultPrefix, nil)
		if c.tls {
			r = httptest.NewRequest("DELETE", "https://example.com"+defaultPrefix, nil)
		}
		r.Header.Set("Cookie", p.cookie)
		r.Header.Set(headerCSRF, "1")
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		if got := w.Header().Get("Clear-Site-Data"); w.Code != 204 || got != c.want {
			t.Errorf("%+v: %d, %q", c, w.Code, got)
		}
	}
}
