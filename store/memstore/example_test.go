package memstore_test

import (
	"context"
	"fmt"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/memstore"
)

// A program hands the store to sojourn.New; here it is used as the core does.
func Example() {
	ctx := context.Background()
	store := memstore.New(&memstore.Options{MaxSessions: 100_000})

	r := sojourn.Record{ID: "a", Owner: "ada", Expires: time.Now().Add(time.Hour), Payload: []byte("hello")}
	if err := store.Create(ctx, &r); err != nil {
		panic(err)
	}
	got, err := store.Load(ctx, "a")
	fmt.Printf("%s %v\n", got.Payload, err)

	err = store.Revoke(ctx, sojourn.RevokedRecord{ID: "a", Owner: "ada", Reason: sojourn.ReasonLogout,
		At: time.Now(), Until: time.Now().Add(time.Minute)})
	fmt.Println(err)
	got, err = store.Load(ctx, "a")
	fmt.Println(got.Dead, err)
	// Output:
	// hello <nil>
	// <nil>
	// true memstore: load: sojourn: no such session
}
