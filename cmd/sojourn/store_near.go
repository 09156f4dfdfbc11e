package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/sojournhq/sojourn/store/breakerstore"
	"github.com/sojournhq/sojourn/store/nearstore"
	"github.com/spf13/pflag"
)

// nearFlags say what a server does about the network between it and its store.
type nearFlags struct {
	cache     duration
	stale     duration
	anonymous bool
}

func (f *nearFlags) register(fl *pflag.FlagSet) {
	fl.Var(&f.cache, "near-cache", "let reads be answered from memory for this long, in which a session revoked on another server may still read; without it the store is asked each time")
	fl.Var(&f.stale, "serve-stale", "while the store fails, let reads be answered from memory for this long; without it they are answered 503")
	fl.BoolVar(&f.anonymous, "anonymous-on-outage", false, "while the store fails, let requests that only read go on as nobody's instead of 503")
}

var nearFlagNames = []string{"near-cache", "serve-stale", "anonymous-on-outage"}

// maxStale is the longest that old data may be shown.
const maxStale = 10 * time.Minute

func (f *nearFlags) caches() bool { return f.cache > 0 || f.stale > 0 }

// wrap puts a circuit breaker around a store behind a network, and around that
// what the flags ask for. Call stop, unless it is nil, before the store is closed.
func (f *nearFlags) wrap(store *openedStore, logger *slog.Logger) (stop func(), err error) {
	cache, stale := time.Duration(f.cache), time.Duration(f.stale)
	switch {
	case cache < 0 || cache > nearstore.MaxBound:
		return nil, fmt.Errorf("--near-cache %s: expected at most %s", short(cache), short(nearstore.MaxBound))
	case stale < 0 || stale > maxStale:
		return nil, fmt.Errorf("--serve-stale %s: expected at most %s", short(stale), short(maxStale))
	case f.caches() && !store.far:
		return nil, fmt.Errorf("--near-cache and --serve-stale are for a store behind a network; %s is on this machine, expected neither", store.name)
	}
	if !store.far {
		return nil, nil
	}
	store.Store = breakerstore.New(store.Store, &breakerstore.Options{Logger: logger})
	if !f.caches() {
		return nil, nil
	}
	opt := &nearstore.Options{ServeStale: stale, Logger: logger}
	line := fmt.Sprintf("reads from memory while it fails, for %s", short(stale))
	if cache > 0 {
		opt.Guarantee = nearstore.Bounded(cache)
		line = fmt.Sprintf("near cache of %s", short(cache))
	}
	near := nearstore.New(store.Store, opt)
	store.Store = near
	if store.note != "" {
		line = store.note + ", " + line
	}
	store.note = line
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := near.Run(ctx); err != nil {
			logger.Info("this store tells of no changes; what is read from memory is bounded by its age alone")
		}
	}()
	return func() { cancel(); <-done }, nil
}
