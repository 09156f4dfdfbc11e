// Stepup shows how to ask a user who is logged in for more: to see the account a
// password is enough, to send money a second factor, given in the last five
// minutes. Its forms carry a token of the session. Run it and open
// http://127.0.0.1:8080; everybody's password is "sesame", and their code 123456:
//
//	go run ./examples/stepup
package main

import (
	_ "embed"
	"errors"
	"html/template"
	"log"
	"net/http"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/bind/signals"
	"github.com/sojournhq/sojourn/store/memstore"
)

//go:embed page.html
var html string
var page = template.Must(template.New("page").Parse(html))

// Sending money asks for two factors, not long ago.
const (
	level  = 2
	recent = 5 * time.Minute
)

// sent counts the transfers of a session.
var sent = sojourn.Counter("sent")

func handler() (http.Handler, error) {
	watch, err := signals.New(&signals.Options{OnSystem: "step-up", OnInterleaved: "step-up"})
	if err != nil {
		return nil, err
	}
	var sessions *sojourn.Manager
	sessions, err = sojourn.New(memstore.New(nil), &sojourn.Options{
		Cookie:        sojourn.Cookie{Insecure: true}, // plain HTTP on localhost; leave it out behind HTTPS
		Policy:        sojourn.AAL(2),
		MaxSessions:   5,
		OnMaxSessions: "evict",
		Signals:       watch.Judge,
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, status int, err error) {
			if errors.Is(err, sojourn.ErrStepUp) { // a page is shown the way; a program gets the 403
				http.Redirect(w, r, "/?ask=code", http.StatusSeeOther)
				return
			}
			http.Error(w, http.StatusText(status), status)
		},
	})
	if err != nil {
		return nil, err
	}
	a := account{sessions}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", a.show)
	mux.Handle("POST /login", form(a.login))
	mux.Handle("POST /code", sessions.RequireCSRF(form(a.code)))
	mux.Handle("POST /send", sessions.RequireCSRF(sessions.Require(level, recent, form(a.send))))
	mux.Handle("POST /logout", sessions.RequireCSRF(form(a.logout)))
	return sessions.Handler(mux), nil
}

func main() {
	h, err := handler()
	if err != nil {
		log.Fatal(err)
	}
	log.Print("http://127.0.0.1:8080")
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", h))
}
