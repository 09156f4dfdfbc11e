package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/live"
	"github.com/sojournhq/sojourn/live/pgplane"
	"github.com/sojournhq/sojourn/live/redisplane"
	"github.com/sojournhq/sojourn/store/memstore"
	"github.com/sojournhq/sojourn/store/redisstore"
	"github.com/sojournhq/sojourn/store/sqlstore/postgres"
	"github.com/sojournhq/sojourn/webapi"
)

// serve is one server process: the API with live connections, and what the
// measurement asks of it.
func serve(listen, storeURL, planeURL string, ping time.Duration) error {
	ctx := context.Background()
	opt := &live.Options{MaxPerSession: 2000, Ping: ping}
	var store sojourn.Store = memstore.New(nil)
	var err error
	switch {
	case strings.HasPrefix(storeURL, "redis"):
		store, err = redisstore.Open(ctx, storeURL, nil)
	case storeURL != "":
		store, err = postgres.Open(ctx, storeURL, nil)
	}
	if err != nil {
		return err
	}
	switch {
	case strings.HasPrefix(planeURL, "redis"):
		opt.Backplane, err = redisplane.Open(ctx, planeURL, nil)
	case planeURL != "":
		opt.Backplane, err = pgplane.Open(ctx, planeURL, nil)
	}
	if err != nil {
		return err
	}
	hub, err := live.New(opt)
	if err != nil {
		return err
	}
	manager, err := sojourn.New(store, &sojourn.Options{Cookie: sojourn.Cookie{Insecure: true}, Observers: []sojourn.Observer{hub}, ErrorHandler: webapi.ErrorHandler})
	if err != nil {
		return err
	}
	api, err := webapi.New(manager, &webapi.Options{Live: hub})
	if err != nil {
		return err
	}
	outer := http.NewServeMux()
	outer.Handle("/_session/", manager.Handler(api))
	outer.HandleFunc("GET /mint", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.FormValue("n"))
		out := bufio.NewWriter(w)
		defer out.Flush()
		for i := range n {
			owner := r.FormValue("owner")
			if owner == "" {
				owner = "user" + strconv.Itoa(i)
			}
			_, token, err := manager.Create(r.Context(), owner)
			if err != nil {
				log.Printf("mint: %v", err)
				return
			}
			fmt.Fprintln(out, token.Reveal())
		}
	})
	outer.HandleFunc("GET /publish", func(w http.ResponseWriter, r *http.Request) {
		if err := hub.Publish(r.Context(), live.ToOwner(r.FormValue("owner")), "app.t", stamp()); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	outer.HandleFunc("GET /stats", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("gc") != "" {
			debug.FreeOSMemory()
		}
		json.NewEncoder(w).Encode(stats{hub.Connections(), rss(), runtime.NumGoroutine(), cpu()})
	})
	server := &http.Server{Addr: listen, Handler: outer, ReadHeaderTimeout: 10 * time.Second}
	return server.ListenAndServe()
}

// stamp is the time of an event: receivers on this machine have the same clock.
func stamp() string { return strconv.FormatInt(time.Now().UnixNano(), 10) }

type stats struct {
	Connections int
	RSS         int64 // bytes
	Goroutines  int
	CPU         time.Duration
}

func rss() int64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	pages, _ := strconv.ParseInt(strings.Fields(string(b))[1], 10, 64)
	return pages * int64(os.Getpagesize())
}
