// Job writes into a session outside its requests: a worker gets the session's ID
// and leaves a report there (report.go). Sessions are kept in an SQLite file, so
// they survive a restart. Run it and open http://127.0.0.1:8080:
//
//	go run ./examples/job
package main

import (
	"context"
	"html/template"
	"log"
	"net/http"
	"os"
	"path/filepath"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/sqlstore"
)

var page = template.Must(template.New("page").Parse(`<!doctype html>
<title>Job</title>
<p>Your report: {{or . "none yet"}}
<form method="post"><button>Write one</button></form>
<p><a href="/">Look again</a>
`))

func handler(ctx context.Context, store sojourn.Store) (http.Handler, error) {
	sessions, err := sojourn.New(store, &sojourn.Options{
		Cookie: sojourn.Cookie{Insecure: true}, // plain HTTP on localhost; leave it out behind HTTPS
	})
	if err != nil {
		return nil, err
	}
	go sessions.Run(ctx) // removes expired sessions from the file
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		text, err := report.Get(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		page.Execute(w, text)
	})
	mux.HandleFunc("POST /{$}", func(w http.ResponseWriter, r *http.Request) {
		id, err := order(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		go func() { // in real life a queue
			if err := write(ctx, sessions, id); err != nil {
				log.Print(err)
			}
		}()
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	return sessions.Handler(mux), nil
}

func main() {
	ctx := context.Background()
	store, err := sqlstore.OpenSQLite(ctx, filepath.Join(os.TempDir(), "sojourn-job.db"), nil)
	if err != nil {
		log.Fatal(err)
	}
	h, err := handler(ctx, store)
	if err != nil {
		log.Fatal(err)
	}
	log.Print("open http://127.0.0.1:8080")
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", h))
}
