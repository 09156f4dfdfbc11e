// Login shows what users do with their sessions: log in, stay logged in, see
// their devices, end one or all others, log out. Run it, open
// http://127.0.0.1:8080 in two browsers and log in to both; everybody's password
// is "sesame":
//
//	go run ./examples/login
package main

import (
	_ "embed"
	"html/template"
	"log"
	"net/http"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/memstore"
)

//go:embed page.html
var html string
var page = template.Must(template.New("page").Parse(html))

func handler() (http.Handler, error) {
	sessions, err := sojourn.New(memstore.New(nil), &sojourn.Options{
		Cookie: sojourn.Cookie{Insecure: true}, // plain HTTP on localhost; leave it out behind HTTPS
	})
	if err != nil {
		return nil, err
	}
	a := account{sessions}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		devices, err := a.devices(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		page.Execute(w, devices)
	})
	mux.Handle("POST /login", form(a.login))
	mux.Handle("POST /logout", form(a.logout))
	mux.Handle("POST /revoke", form(a.revoke))
	mux.Handle("POST /revoke-others", form(a.revokeOthers))
	return sessions.Handler(mux), nil
}

// A form does what it says with the session and leads back to the page.
type form func(r *http.Request, s *sojourn.Session) error

func (do form) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s, err := sojourn.From(r.Context())
	if err == nil {
		err = do(r, s)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func main() {
	h, err := handler()
	if err != nil {
		log.Fatal(err)
	}
	log.Print("open http://127.0.0.1:8080")
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", h))
}
