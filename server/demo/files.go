package demo

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"time"
)

// files serves the page's own files from memory. Browsers ask each time and
// are mostly answered 304, so a new binary is seen at once.
type files map[string]file

type file struct {
	content []byte
	kind    string
	tag     string
}

// Types are given here because the operating system's table may differ or be
// absent, and browsers run no module of another type.
var kinds = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

func newFiles(from fs.FS) (files, error) {
	all := files{}
	err := fs.WalkDir(from, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || path.Ext(name) == ".html" {
			return err
		}
		b, err := fs.ReadFile(from, name)
		if err != nil {
			return err
		}
		kind := kinds[path.Ext(name)]
		if kind == "" {
			kind = mime.TypeByExtension(path.Ext(name))
		}
		sum := sha256.Sum256(b)
		all[name] = file{b, kind, `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`}
		return nil
	})
	return all, err
}

func (f files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	one, ok := f[r.PathValue("file")]
	if !ok {
		problem(w, http.StatusNotFound, "not_found", "There is no such file.")
		return
	}
	h := w.Header()
	h.Set("Content-Type", one.kind)
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", one.tag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(one.content))
}
