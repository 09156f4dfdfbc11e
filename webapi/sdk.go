package webapi

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/browser"
)

const scriptName = "sojourn.js"

// A script is a file that browsers may keep: its address can carry the hash of
// its content, and its content never changes while the program runs.
type script struct {
	body    []byte
	hash    string
	gzipped func() []byte
}

func newScript(body []byte) script {
	return script{
		body: body,
		hash: browser.Hash(body),
		gzipped: sync.OnceValue(func() []byte {
			var buf bytes.Buffer
			z, _ := gzip.NewWriterLevel(&buf, gzip.BestCompression) // fails for unknown levels only
			z.Write(body)
			z.Close()
			return buf.Bytes()
		}),
	}
}

// newScripts holds every file of the SDK.
func newScripts() map[string]script {
	scripts := map[string]script{}
	for name, body := range browser.Files() {
		scripts[name] = newScript(body)
	}
	return scripts
}

// ScriptURL is the address of the browser SDK, to be loaded as a module. It
// changes with the SDK's content, so browsers keep it for a year.
func (a *API) ScriptURL() string { return a.FileURL(scriptName) }

// FileURL is the address of a file of the SDK (browser.Files), such as "live.js".
// Modules that import each other do so without the ?v of it, and are another
// copy then: import each module under one address. A name that is none gives "".
func (a *API) FileURL(name string) string {
	s, ok := a.scripts[name]
	if !ok {
		return ""
	}
	return a.opt.Prefix + name + "?v=" + s.hash
}

// serveScript needs no session and touches none.
func (a *API) serveScript(w http.ResponseWriter, r *http.Request, name string) error {
	file := a.scripts[name]
	if s, err := sojourn.From(r.Context()); err == nil {
		s.Passive() // also where every request counts as use
	}
	h := w.Header()
	h.Set("Content-Type", "text/javascript; charset=utf-8") // RFC 9239
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "public, no-cache") // keep, but ask: the answer is mostly 304
	if r.URL.Query().Get("v") == file.hash {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	body, tag := file.body, `"`+file.hash+`"`
	if acceptsGzip(r) {
		body, tag = file.gzipped(), `"`+file.hash+`-gzip"` // another representation: another strong tag
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", tag)
	if noneMatch := r.Header.Get("If-None-Match"); noneMatch == "*" || strings.Contains(noneMatch, tag) {
		h.Del("Content-Type")
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body)
	return nil
}

// acceptsGzip reads Accept-Encoding (RFC 9110 §12.5.3); "*" is not taken as gzip.
func acceptsGzip(r *http.Request) bool {
	for _, e := range strings.Split(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		name, weight, _ := strings.Cut(e, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			q := strings.TrimPrefix(strings.TrimSpace(weight), "q=")
			return q == "" || strings.Trim(q, "0.") != ""
		}
	}
	return false
}
