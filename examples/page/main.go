// Page lets a page in the browser see its own session: the time that remains,
// live, and one member, a note that it may edit. The code of the page is in
// page.html. Run it and open http://127.0.0.1:8080 in two tabs:
//
//	go run ./examples/page
package main

import (
	_ "embed"
	"html/template"
	"log"
	"net/http"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/memstore"
	"github.com/sojournhq/sojourn/webapi"
)

//go:embed page.html
var html string
var page = template.Must(template.New("page").Parse(html))

const visits = sojourn.Counter("visits")

func handler() (http.Handler, error) {
	sessions, err := sojourn.New(memstore.New(nil), &sojourn.Options{
		Policy:       sojourn.Policy{Idle: 5 * time.Minute},
		Cookie:       sojourn.Cookie{Insecure: true}, // plain HTTP on localhost; leave it out behind HTTPS
		ErrorHandler: webapi.ErrorHandler,
	})
	if err != nil {
		return nil, err
	}
	api, err := webapi.New(sessions, &webapi.Options{
		Readable: []string{"note", "visits"},
		Writable: []string{"note"}, // visits stay the server's
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/_session/", api)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		if _, err := visits.Add(r.Context(), 1); err != nil { // begins the session
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		page.Execute(w, api.ScriptURL())
	})
	return sessions.Handler(mux), nil
}

func main() {
	h, err := handler()
	if err != nil {
		log.Fatal(err)
	}
	log.Print("open http://127.0.0.1:8080")
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", h))
}
