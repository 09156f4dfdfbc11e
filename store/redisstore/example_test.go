package redisstore_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/redisstore"
)

func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	store, err := redisstore.Open(ctx, "redis+sentinel://app:password@sentinel-1:26379,sentinel-2:26379/main", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	manager, err := sojourn.New(store, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer manager.Close()
	visits := sojourn.Counter("visits")
	http.Handle("/", manager.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := visits.Add(r.Context(), 1)
		if err != nil {
			http.Error(w, "no session", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintf(w, "visit %d\n", n)
	})))
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", nil))
}
