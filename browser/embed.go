// Package browser holds the browser SDK, @sojourn/browser, as it is built from
// the TypeScript in this folder: ES modules without dependencies, and one script
// for pages that use none. Package webapi serves them next to the API that they
// speak.
//
//	body, _ := browser.File("sojourn.js")
//	http.HandleFunc("GET /sojourn.js", func(w http.ResponseWriter, r *http.Request) {
//		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
//		w.Header().Set("ETag", `"`+browser.Hash(body)+`"`)
//		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
//	})
//
// Caveat. The files are build products: after a change of the TypeScript run
// "npm run build" here; "npm run fresh" fails until that is done.
package browser

import (
	"crypto/sha256"
	"crypto/sha512"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"strings"
	"sync"
)

//go:embed dist
var dist embed.FS

var files = sync.OnceValue(func() map[string][]byte {
	found := map[string][]byte{}
	fs.WalkDir(dist, "dist", func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".js") {
			found[strings.TrimPrefix(path, "dist/")], err = dist.ReadFile(path)
		}
		return err
	})
	return found
})

// Files returns the names of the files and what they hold: minified JavaScript
// in UTF-8. "sojourn.js" is the core; the table in README.md names the others.
// All callers share the map and the bytes: they must not be changed.
func Files() map[string][]byte { return files() }

// File returns one of Files, and whether there is one of this name.
func File(name string) (body []byte, ok bool) {
	body, ok = files()[name]
	return body, ok
}

// SDK returns the core, "sojourn.js".
func SDK() []byte { return files()["sojourn.js"] }

const hashBytes = 12

// Hash names the content of a file: the first 24 hexadecimal digits of its
// SHA-256, fit for an ETag or an address that may be kept for ever.
func Hash(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:hashBytes])
}

// Integrity is the value of the integrity attribute with which a page makes its
// browser refuse any other content (W3C Subresource Integrity).
func Integrity(body []byte) string {
	sum := sha512.Sum384(body)
	return "sha384-" + base64.StdEncoding.EncodeToString(sum[:])
}
