package breakerstore_test

import (
	"errors"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/breakerstore"
	"github.com/sojournhq/sojourn/store/memstore"
)

// BenchmarkLoad sets the cost of a closed and of an open circuit beside
// memstore, the floor.
func BenchmarkLoad(b *testing.B) {
	inner := memstore.New(nil)
	r := sojourn.Record{ID: "a", Expires: time.Now().Add(time.Hour), Payload: make([]byte, 500)}
	if err := inner.Create(b.Context(), &r); err != nil {
		b.Fatal(err)
	}
	failing := newEngine()
	failing.set(down)
	open := breakerstore.New(failing, &breakerstore.Options{Probe: time.Hour})
	for range 10 {
		open.Load(b.Context(), "a")
	}
	for _, c := range []struct {
		name  string
		store sojourn.Store
		want  error
	}{{"memstore", inner, nil}, {"closed", breakerstore.New(inner, nil), nil}, {"open", open, breakerstore.ErrOpen}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.store.Load(b.Context(), "a"); !errors.Is(err, c.want) {
					b.Fatal(err)
				}
			}
		})
	}
}
