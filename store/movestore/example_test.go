package movestore_test

import (
	"context"
	"fmt"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/memstore"
	"github.com/sojournhq/sojourn/store/movestore"
)

func Example() {
	ctx := context.Background()
	from, to := memstore.New(nil), memstore.New(nil)
	before, _ := sojourn.New(from, nil)
	_, token, _ := before.Create(ctx, "ada") // long ago

	sessions, _ := sojourn.New(movestore.New(from, to, nil), nil)
	s, _ := sessions.Authenticate(ctx, token.Reveal()) // the cookie stays good
	owner, _ := s.Owner(ctx)
	fmt.Println("met again:", owner)

	after, _ := sojourn.New(to, nil)
	_, err := after.Authenticate(ctx, token.Reveal())
	fmt.Println("in the new store:", err == nil)
	// Output:
	// met again: ada
	// in the new store: true
}
