package memcachestore_test

import (
	"context"
	"log"
	"net/http"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/memcachestore"
)

func Example() {
	store, err := memcachestore.Open(context.Background(), "memcached://10.0.0.1:11211,10.0.0.2:11211", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	m, err := sojourn.New(store, nil)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", m.Handler(http.DefaultServeMux)))
}
