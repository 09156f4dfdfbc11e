// Package rivals measures what a session costs a request in process, with
// Sojourn and with other session libraries for Go, over a bare handler in the
// same run. Command rivals prints the result.
//
// Each library is set up as its documentation's first example does, with its own
// defaults, and keeps the same two values: a name and a counter. They do not
// promise the same: gorilla's cookie store keeps everything in the cookie, which
// nobody can end; scs overwrites what parallel requests wrote. The table is
// about cost only.
package rivals

import "net/http"

// A Library is one way to have sessions.
type Library struct {
	Name   string
	Module string // whose version is shown; "" for ours
	Open   func() (Site, error)
}

// Libraries are those measured; the first is Sojourn.
var Libraries = []Library{
	{"Sojourn, memstore", "", openSojourn},
	{"scs, memstore", "github.com/alexedwards/scs/v2", openSCS},
	{"gorilla/sessions, cookie", "github.com/gorilla/sessions", openGorilla},
}

// A Site is a program's sessions, as a library keeps them.
type Site interface {
	// Wrap is the library's middleware.
	Wrap(http.Handler) http.Handler
	// SetName keeps a name, Name reads it.
	SetName(w http.ResponseWriter, r *http.Request, name string) error
	Name(r *http.Request) (string, error)
	// Hit adds one to a counter, keeps and returns it.
	Hit(w http.ResponseWriter, r *http.Request) (int64, error)
}
