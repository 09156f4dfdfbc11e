// Package fresh marks contexts under which a store must ask its source. The
// core marks what must not rest on a cached record, caches obey; both sides
// meet here because neither may import the other.
package fresh

import "context"

// Key is the context key of the mark; its value is true.
type Key struct{}

// Mark returns a context under which nothing cached will do.
func Mark(ctx context.Context) context.Context { return context.WithValue(ctx, Key{}, true) }

// Wanted reports whether ctx is marked. It costs one walk along the context.
func Wanted(ctx context.Context) bool {
	marked, _ := ctx.Value(Key{}).(bool)
	return marked
}
