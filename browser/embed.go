// Package browser holds the browser SDK, @sojourn/browser, as it is built from
// the TypeScript in this folder: one ES module without dependencies. Package
// webapi serves it next to the API that it speaks.
//
//	http.HandleFunc("GET /sojourn.js", func(w http.ResponseWriter, r *http.Request) {
//		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
//		w.Header().Set("ETag", `"`+browser.Hash()+`"`)
//		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(browser.SDK()))
//	})
//
// Caveat. The file is a build product: after a change of the TypeScript run
// "npm run build" here; "npm run fresh" fails until that is done.
package browser

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"sync"
)

//go:embed dist/sojourn.js
var sdk []byte

// SDK returns the module, minified, in UTF-8. All callers share the bytes: they
// must not be changed.
func SDK() []byte { return sdk }

const hashBytes = 12

var hash = sync.OnceValue(func() string {
	sum := sha256.Sum256(sdk)
	return hex.EncodeToString(sum[:hashBytes])
})

// Hash names the content of SDK: the first 24 hexadecimal digits of its SHA-256,
// fit for an ETag or an address that may be kept for ever.
func Hash() string { return hash() }
