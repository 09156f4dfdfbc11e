package webapi_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/memstore"
	"github.com/sojournhq/sojourn/webapi"
)

// Mount the API beside the application, below the Manager's handler.
func Example() {
	sessions, err := sojourn.New(memstore.New(nil), &sojourn.Options{ErrorHandler: webapi.ErrorHandler})
	if err != nil {
		log.Fatal(err)
	}
	api, err := webapi.New(sessions, &webapi.Options{
		Readable: []string{"cart", "ui.*"},
		Writable: []string{"ui.*"},
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/_session/", api)
	handler := sessions.Handler(mux)

	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest("GET", "https://example.com/_session/v1/status", nil))
	fmt.Print(w.Code, " ", w.Body)
	// Output: 200 {"state":"none"}
}
