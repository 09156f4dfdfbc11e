package seal_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"fmt"
	"testing"

	"github.com/sojournhq/sojourn/seal"
	"github.com/sojournhq/sojourn/store/memstore"
)

var sizes = []int{512, 4096}

// BenchmarkFloor is bare AES-256-GCM with one key: what deriving a key for each
// record costs is the difference to BenchmarkSeal and BenchmarkOpen.
func BenchmarkFloor(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			key, plain := make([]byte, 32), make([]byte, n)
			rand.Read(key)
			block, err := aes.NewCipher(key)
			if err != nil {
				b.Fatal(err)
			}
			aead, err := cipher.NewGCMWithRandomNonce(block)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				aead.Seal(nil, nil, plain, key)
			}
		})
	}
}

func BenchmarkSeal(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s, plain := newRing(b, seal.GenerateKey()).Sealer("x"), make([]byte, n)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Seal("0123456789abcdefghijklmnopqrst", plain, "ada"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := newRing(b, seal.GenerateKey()).Sealer("x")
			sealed, err := s.Seal("0123456789abcdefghijklmnopqrst", make([]byte, n), "ada")
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Open("0123456789abcdefghijklmnopqrst", sealed, "ada"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkLoad compares a sealed store with the bare one.
func BenchmarkLoad(b *testing.B) {
	inner := memstore.New(nil)
	s := newStore(b, inner, newRing(b, seal.GenerateKey()))
	r := create(b, s, "ada", string(make([]byte, 512)))
	b.Run("bare", func(b *testing.B) {
		for b.Loop() {
			inner.Load(b.Context(), r.ID)
		}
	})
	b.Run("sealed", func(b *testing.B) {
		for b.Loop() {
			s.Load(b.Context(), r.ID)
		}
	})
}
