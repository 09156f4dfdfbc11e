package webapi

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/memstore"
)

func TestOptionsAreChecked(t *testing.T) {
	m := newSite(t, nil).manager
	for _, bad := range []Options{
		{Prefix: "/"}, {Prefix: "x/"}, {Prefix: "/x"}, {Prefix: "/a//b/"}, {Prefix: "/a/../b/"}, {Prefix: "/ä/"}, {Prefix: "/{x}/"},
		{MaxBody: -1}, {MaxBody: 2 << 20}, {WarnBefore: 19 * time.Second}, {WarnBefore: -1},
	} {
		if _, err := New(m, &bad); !errors.Is(err, sojourn.ErrInvalid) || !strings.HasPrefix(err.Error(), "webapi: ") {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if _, err := New(nil, nil); !errors.Is(err, sojourn.ErrInvalid) {
		t.Errorf("no Manager: %v", err)
	}
}

func TestCookiePathMustCoverPrefix(t *testing.T) {
	m, err := sojourn.New(memstore.New(nil), &sojourn.Options{Cookie: sojourn.Cookie{Path: "/app"}})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if _, err := New(m, nil); !errors.Is(err, sojourn.ErrInvalid) {
		t.Errorf("prefix outside of the cookie's path: %v", err)
	}
	if _, err := New(m, &Options{Prefix: "/application/"}); !errors.Is(err, sojourn.ErrInvalid) {
		t.Errorf("prefix beside the cookie's path: %v", err)
	}
	if _, err := New(m, &Options{Prefix: "/app/_session/v1/"}); err != nil {
		t.Error(err)
	}
}

// WCAG 2.2.1 wants ten extensions or more than 20 hours.
func TestUnfriendlyTimeoutsAreReported(t *testing.T) {
	for _, c := range []struct {
		idle, absolute time.Duration
		warned         bool
	}{
		{30 * time.Minute, 12 * time.Hour, false},
		{time.Hour, 8 * time.Hour, true},
		{20 * time.Hour, 21 * time.Hour, false},
	} {
		var log bytes.Buffer
		newSite(t, nil, func(o *sojourn.Options) {
			o.Policy = sojourn.Policy{Idle: c.idle, Absolute: c.absolute}
			o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		})
		if got := strings.Contains(log.String(), "WCAG"); got != c.warned {
			t.Errorf("%+v: warned %v", c, got)
		}
	}
}

func TestMethods(t *testing.T) {
	s := newSite(t, &Options{AllowDevices: true})
	p := s.login("ada")
	for path, allow := range map[string]string{
		"":           "DELETE, OPTIONS",
		"status":     "GET, HEAD, OPTIONS",
		"extend":     "OPTIONS, POST",
		"data":       "GET, HEAD, OPTIONS, PATCH",
		"data/x":     "DELETE, GET, HEAD, OPTIONS, PUT",
		"devices":    "GET, HEAD, OPTIONS",
		"devices/x":  "DELETE, OPTIONS, PATCH",
		"sojourn.js": "GET, HEAD, OPTIONS",
		"live.js":    "GET, HEAD, OPTIONS",
	} {
		w := p.do("BREW", path, "")
		p.fails(w, codeMethodNotAllowed)
		o := p.do("OPTIONS", path, "", "Origin", "https://evil.example", "Access-Control-Request-Method", "PUT")
		p.want(o, 204)
		if w.Header().Get("Allow") != allow || o.Header().Get("Allow") != allow {
			t.Errorf("%q: Allow %q and %q, want %q", path, w.Header().Get("Allow"), o.Header().Get("Allow"), allow)
		}
		for name := range o.Header() {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%q answers a preflight with %s", path, name)
			}
		}
	}
	for _, path := range []string{"x", "status/", "status/x", "data/", "data/a/b", "data/%ff", "index.d.ts", "x.js", "%73tatus", "/_session/", "/_session/v2/status"} {
		p.fails(p.do("GET", path, ""), codeNotFound)
	}
	p.want(p.do("DELETE", "/_session/v1", ""), 204) // without the final slash too
}

// Every unsafe method needs the header, and the check comes before any use of
// the session.
func TestCSRFHeader(t *testing.T) {
	s := newSite(t, &Options{Writable: []string{"cart"}, AllowDevices: true})
	p := s.login("ada")
	s.store.down.Store(true)
	for _, c := range [][3]string{{"POST", "extend"}, {"PUT", "data/cart", "1"}, {"PATCH", "data", "{}"}, {"DELETE", "data/cart"}, {"DELETE", ""}, {"DELETE", "devices/x"}} {
		p.fails(p.do(c[0], c[1], c[2], "If-Match", "*", headerCSRF, "-"), codeCSRFHeaderMissing)
		p.fails(p.do(c[0], c[1], c[2], "If-Match", "*", headerCSRF, ""), codeCSRFHeaderMissing)
		p.fails(p.do(c[0], c[1], c[2], "If-Match", "*", headerCSRF, "anything"), codeStoreUnavailable)
	}
}

func TestMediaTypes(t *testing.T) {
	s := newSite(t, &Options{Writable: []string{"cart"}})
	p := s.login("ada")
	for _, ok := range []string{"application/json", "Application/JSON; charset=UTF-8", `application/json;charset="utf-8"`} {
		p.want(p.do("PUT", "data/cart", "1", "If-Match", "*", "Content-Type", ok), 200)
	}
	for _, bad := range []string{"", "-", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", "application/json; x", mediaMergePatch} {
		p.fails(p.do("PUT", "data/cart", "1", "If-Match", "*", "Content-Type", bad), codeUnsupportedMediaType)
	}
	p.fails(p.do("PUT", "data/cart", "1", "If-Match", "*", "Content-Encoding", "gzip"), codeUnsupportedMediaType)
	w := p.do("PATCH", "data", "{}", "If-Match", "*", "Content-Type", "application/json")
	p.fails(w, codeUnsupportedMediaType)
	if got := w.Header().Get("Accept-Patch"); got != mediaMergePatch {
		t.Errorf("Accept-Patch %q", got)
	}
	p.fails(p.do("POST", "extend", "{}", "Content-Type", "text/plain"), codeUnsupportedMediaType)
	p.fails(p.do("DELETE", "", "{}", "Content-Type", "text/plain"), codeUnsupportedMediaType)
}

// What depends on the cookie must not be shown to another user by a cache.
func TestAnswersAreNotStored(t *testing.T) {
	p := newSite(t, &Options{Readable: []string{"cart"}}).login("ada")
	for _, path := range []string{"status", "data", "data/cart", "nowhere"} {
		if got := p.do("GET", path, "").Header().Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s: Cache-Control %q", path, got)
		}
	}
}

func TestMountedElsewhere(t *testing.T) {
	s := newSite(t, &Options{Prefix: "/app/session/"})
	w := httptest.NewRecorder()
	s.manager.Handler(s.api).ServeHTTP(w, httptest.NewRequest("GET", "https://example.com/app/session/status", nil))
	if w.Code != 200 || !strings.HasPrefix(s.api.ScriptURL(), "/app/session/sojourn.js?v=") {
		t.Errorf("%d, %s", w.Code, s.api.ScriptURL())
	}
}
