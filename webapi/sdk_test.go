package webapi

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/browser"
)

func TestScript(t *testing.T) {
	s := newSite(t, nil)
	s.store.down.Store(true) // it needs no session
	p := s.page()
	p.cookie = "__Host-sojourn=" + strings.Repeat("A", 56)
	want := browser.SDK()

	w := p.do("GET", "sojourn.js", "")
	p.want(w, 200)
	h := w.Header()
	if !bytes.Equal(w.Body.Bytes(), want) || h.Get("Content-Type") != "text/javascript; charset=utf-8" ||
		h.Get("Cache-Control") != "public, no-cache" || h.Get("X-Content-Type-Options") != "nosniff" || strings.Contains(h.Get("Vary"), "Cookie") {
		t.Errorf("plain: %v", h)
	}
	tag := h.Get("ETag")

	w = p.do("GET", s.api.ScriptURL(), "", "Accept-Encoding", "br, gzip;q=0.8")
	p.want(w, 200)
	h = w.Header()
	if h.Get("Cache-Control") != "public, max-age=31536000, immutable" || h.Get("Content-Encoding") != "gzip" || h.Get("Vary") != "Accept-Encoding" || h.Get("ETag") == tag {
		t.Errorf("hashed, compressed: %v", h)
	}
	z, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	if readAll(t, z) != string(want) {
		t.Error("unpacked, it is another script")
	}

	// So is every other file, under an address of its own.
	for name, body := range browser.Files() {
		if w := p.do("GET", s.api.FileURL(name), ""); w.Code != 200 || !bytes.Equal(w.Body.Bytes(), body) || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", name, w.Code, w.Header())
		}
	}
	if s.api.FileURL("nothing.js") != "" {
		t.Error("what is not there has an address")
	}

	// A stale address gets the current script, but only for now.
	if got := p.do("GET", "sojourn.js?v=old", "").Header().Get("Cache-Control"); got != "public, no-cache" {
		t.Errorf("stale: Cache-Control %q", got)
	}
	w = p.do("GET", "sojourn.js", "", "If-None-Match", `"x", W/`+tag)
	if w.Code != http.StatusNotModified || w.Body.Len() > 0 || w.Header().Get("ETag") != tag {
		t.Errorf("revalidated: %d %v", w.Code, w.Header())
	}
}

// P8: loading the SDK is no use of the session, even where every request is.
func TestP8ScriptNeverExtends(t *testing.T) {
	s := newSite(t, nil, func(o *sojourn.Options) { o.TouchEveryRequest = true })
	p := s.login("ada")
	s.advance(10 * time.Minute)
	p.want(p.do("GET", "sojourn.js", ""), 200)
	s.manager.Close() // touches under way
	if got := p.status()["expires_in_ms"]; got != 300e3 {
		t.Errorf("%v ms are left, want 300000", got)
	}
}

func TestAcceptsGzip(t *testing.T) {
	s := newSite(t, nil)
	for in, want := range map[string]bool{
		"gzip": true, "deflate, GZIP ; q=0.5": true, "gzip;q=1.000": true,
		"": false, "br": false, "gzip;q=0": false, "gzip; q=0.000": false, "xgzip": false, "*": false,
	} {
		w := s.page().do("GET", "sojourn.js", "", "Accept-Encoding", in)
		if got := w.Header().Get("Content-Encoding") == "gzip"; got != want {
			t.Errorf("%q: %v", in, got)
		}
	}
}
