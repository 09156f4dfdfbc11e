package cookiestore_test

import (
	"encoding/base64"
	"log"
	"net/http"
	"os"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/cookiestore"
	"github.com/sojournhq/sojourn/store/memstore"
)

func Example() {
	key, err := base64.StdEncoding.DecodeString(os.Getenv("SESSION_KEY")) // openssl rand -base64 32
	if err != nil {
		log.Fatal(err)
	}
	revocations := memstore.New(nil) // of one process: a restart forgets who was logged out
	store, err := cookiestore.New([][]byte{key}, revocations, nil)
	if err != nil {
		log.Fatal(err)
	}
	m, err := sojourn.New(store, nil)
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", store.Handler(m.Handler(mux))))
}
