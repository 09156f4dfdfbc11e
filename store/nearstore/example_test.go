package nearstore_test

import (
	"context"
	"fmt"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/breakerstore"
	"github.com/sojournhq/sojourn/store/memstore"
	"github.com/sojournhq/sojourn/store/nearstore"
)

// The usual order: the cache around the circuit around the store behind the
// network, for which memstore stands here.
func Example() {
	remote := memstore.New(nil)
	near := nearstore.New(breakerstore.New(remote, nil), &nearstore.Options{
		Guarantee:  nearstore.Bounded(time.Second),
		ServeStale: 30 * time.Second,
	})
	m, err := sojourn.New(near, nil)
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	_, token, err := m.Create(ctx, "ada")
	if err != nil {
		panic(err)
	}
	for range 3 {
		s, err := m.Authenticate(ctx, token.Reveal())
		if err != nil {
			panic(err)
		}
		owner, _ := s.Owner(ctx)
		fmt.Println(owner)
	}
	fmt.Println(near.Stats().Hits, "of 3 from memory")
	if err := m.RevokeOwner(ctx, "ada"); err != nil {
		panic(err)
	}
	_, err = m.Authenticate(ctx, token.Reveal())
	fmt.Println(err)
	// Output:
	// ada
	// ada
	// ada
	// 3 of 3 from memory
	// sojourn: authenticate: sojourn: no such session
}
