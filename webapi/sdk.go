package webapi

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/sojournhq/sojourn"
)

const scriptName = "sojourn.js"

// A script is a file that browsers may keep: its address can carry the hash of
// its content, and its content never changes while the program runs.
type script struct {
	body    []byte
	hash    string
	gzipped func() []byte
}

func newScript(body []byte, hash string) script {
	return script{
		body: body,
		hash: hash,
		gzipped: sync.OnceValue(func() []byte {
			var buf bytes.Buffer
			z, _ := gzip.NewWriterLevel(&buf, gzip.BestCompression) // fails for unknown levels only
			z.Write(body)
			z.Close()
			return buf.Bytes()
		}),
	}
}

// ScriptURL is the address of the browser SDK, to be loaded as a module. It
// changes with the SDK's content, so browsers keep it for a year.
func (a *API) ScriptURL() string {
	return a.opt.Prefix + scriptName + "?v=" + a.script.hash
}

// serveScript needs no session and touches none.
func (a *API) serveScript(w http.ResponseWriter, r *http.Request, _ string) error {
	if s, err := sojourn.From(r.Context()); err == nil {
		s.Passive() // also where every request counts as use
	}
	h := w.Header()
	h.Set("Content-Type", "text/javascript; charset=utf-8") // RFC 9239
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "public, no-cache") // keep, but ask: the answer is mostly 304
	if r.URL.Query().Get("v") == a.script.hash {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	body, tag := a.script.body, `"`+a.script.hash+`"`
	if acceptsGzip(r) {
		body, tag = a.script.gzipped(), `"`+a.script.hash+`-gzip"` // another representation: another strong tag
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
