package dbsc_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/bind/dbsc"
	"github.com/sojournhq/sojourn/store/memstore"
)

func Example() {
	rules := &sojourn.Options{}
	binder, err := dbsc.New(rules, nil)
	if err != nil {
		panic(err)
	}
	sessions, err := sojourn.New(memstore.New(nil), rules)
	if err != nil {
		panic(err)
	}

	mux := http.NewServeMux()
	mux.Handle(binder.Path(), binder)
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		s, err := sojourn.From(r.Context())
		if err == nil {
			err = s.Login(r.Context(), "ada")
		}
		if err != nil {
			sessions.Error(w, r, err)
		}
	})
	mux.Handle("GET /payout", binder.Require(http.NotFoundHandler()))

	w := httptest.NewRecorder()
	sessions.Handler(mux).ServeHTTP(w, httptest.NewRequest("POST", "/login", nil))
	offer, _, _ := strings.Cut(w.Header().Get("Secure-Session-Registration"), ";challenge=")
	fmt.Println(offer)
	// Output: (ES256 RS256);path="/_session/dbsc/register"
}
