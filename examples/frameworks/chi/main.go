// Chi: a counter and a login in a program that routes with chi.
//
//	cd examples/frameworks
//	go run ./chi
//	curl -c jar -b jar -d user=ada 127.0.0.1:8080/login
//	curl -c jar -b jar 127.0.0.1:8080
package main

import (
	"fmt"
	"log"
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/memstore"
)

const visits = sojourn.Counter("visits")

func handler() (http.Handler, error) {
	sessions, err := sojourn.New(memstore.New(nil), &sojourn.Options{
		Cookie: sojourn.Cookie{Insecure: true}, // plain HTTP on localhost; leave it out behind HTTPS
	})
	if err != nil {
		return nil, err
	}
	r := chi.NewRouter()
	r.Use(sessions.Handler) // it is a middleware of chi's kind; Route and Group can have it for a part only
	r.Get("/", home)
	r.Post("/login", login)
	r.Post("/logout", logout)
	return r, nil
}

// The session is in r.Context().

func home(w http.ResponseWriter, r *http.Request) {
	s, err := sojourn.From(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	n, err := visits.Add(r.Context(), 1)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	user, err := s.Owner(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	fmt.Fprintf(w, "user %q, visit %d\n", user, n)
}

func login(w http.ResponseWriter, r *http.Request) {
	s, err := sojourn.From(r.Context())
	if err == nil {
		err = s.Login(r.Context(), r.FormValue("user")) // your own check of a password comes before
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func logout(w http.ResponseWriter, r *http.Request) {
	s, err := sojourn.From(r.Context())
	if err == nil {
		err = s.Logout(r.Context())
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func main() {
	h, err := handler()
	if err != nil {
		log.Fatal(err)
	}
	log.Print("open http://127.0.0.1:8080")
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", h))
}
