package seal_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/seal"
	"github.com/sojournhq/sojourn/store/memstore"
)

func Example() {
	file := seal.GenerateKey().Reveal() // in earnest: a file that "sojourn keys new" made

	ring, err := seal.ParseRing(strings.NewReader(file))
	if err != nil {
		log.Fatal(err)
	}
	store, err := seal.New(memstore.New(nil), ring)
	if err != nil {
		log.Fatal(err)
	}
	sessions, err := sojourn.New(store, nil)
	if err != nil {
		log.Fatal(err)
	}
	s, _, err := sessions.Create(context.Background(), "ada")
	if err != nil {
		log.Fatal(err)
	}
	owner, err := s.Owner(context.Background())
	fmt.Println(owner, err, len(ring.Keys()))
	// Output: ada <nil> 1
}

// Any package can seal secrets of its own with the same ring.
func ExampleRing_Sealer() {
	ring, err := seal.NewRing(seal.GenerateKey())
	if err != nil {
		log.Fatal(err)
	}
	remember := ring.Sealer("shop remember-me 1")
	sealed, err := remember.Seal("ada", []byte("likes tea"))
	if err != nil {
		log.Fatal(err)
	}
	plain, err := remember.Open("ada", sealed)
	fmt.Println(string(plain), err)
	_, err = remember.Open("grace", sealed)
	fmt.Println(err)
	// Output:
	// likes tea <nil>
	// sojourn: record cannot be decoded: the seal is broken
}
