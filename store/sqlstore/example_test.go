package sqlstore_test

import (
	"context"
	"log"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/sqlstore"
)

func ExampleOpenSQLite() {
	store, err := sqlstore.OpenSQLite(context.Background(), "sessions.db", &sqlstore.Options{
		BusyTimeout: time.Second, // rather an error than a slow answer
	})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()

	sessions, err := sojourn.New(store, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer sessions.Close()
}
