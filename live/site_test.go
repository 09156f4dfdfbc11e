package live_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/live"
	"github.com/sojournhq/sojourn/store/memstore"
	"github.com/sojournhq/sojourn/webapi"
)

// A faulty store can be down, and counts what is asked of it.
type faulty struct {
	sojourn.Store
	mu      sync.Mutex
	down    bool
	loaded  func() // after a load, once
	touches int
	updates int
}

func (f *faulty) Unwrap() sojourn.Store { return f.Store }

func (f *faulty) set(down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = down
}

func (f *faulty) writes() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.touches + f.updates
}

func (f *faulty) Load(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
	f.mu.Lock()
	down, hook := f.down, f.loaded
	f.loaded = nil
	f.mu.Unlock()
	if down {
		return sojourn.Record{}, errors.New("down")
	}
	r, err := f.Store.Load(ctx, id)
	if hook != nil {
		hook()
	}
	return r, err
}

func (f *faulty) Touch(ctx context.Context, r *sojourn.Record, until time.Time) error {
	f.mu.Lock()
	f.touches++
	f.mu.Unlock()
	return f.Store.Touch(ctx, r, until)
}

func (f *faulty) Update(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
	f.mu.Lock()
	f.updates++
	f.mu.Unlock()
	return f.Store.Update(ctx, r)
}

// A site is a server with a hub, reached through real sockets or, under a fake
// clock, through pipes.
type site struct {
	t       testing.TB
	hub     *live.Hub
	manager *sojourn.Manager
	store   *faulty
	base    string // of the API
	client  *http.Client
}

type settings struct {
	hub    live.Options
	rules  sojourn.Options
	pipes  bool
	store  sojourn.Store
	server func(*http.Server, *http.Transport)
	listen string // default a free port of the loopback interface
}

func newSite(t testing.TB, set settings) *site {
	t.Helper()
	if set.hub.DrainOver == 0 {
		set.hub.DrainOver = 50 * time.Millisecond
	}
	hub, err := live.New(&set.hub)
	if err != nil {
		t.Fatal(err)
	}
	if set.store == nil {
		set.store = memstore.New(nil)
	}
	s := &site{t: t, hub: hub, store: &faulty{Store: set.store}}
	set.rules.Cookie.Insecure = true
	set.rules.ErrorHandler = webapi.ErrorHandler
	set.rules.Observers = append(set.rules.Observers, hub)
	if s.manager, err = sojourn.New(s.store, &set.rules); err != nil {
		t.Fatal(err)
	}
	api, err := webapi.New(s.manager, &webapi.Options{Live: hub, Readable: []string{"cart", "big", "ui.*"}, Writable: []string{"cart", "big", "ui.*"}})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/_session/", api)
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) {
		session, _ := sojourn.From(r.Context())
		if err := session.Login(r.Context(), r.FormValue("user")); err != nil {
			s.manager.Error(w, r, err)
		}
	})
	mux.HandleFunc("GET /use", func(w http.ResponseWriter, r *http.Request) {
		session, _ := sojourn.From(r.Context())
		id, _ := session.ID(r.Context())
		fmt.Fprint(w, id)
	})
	mux.HandleFunc("GET /renew", func(w http.ResponseWriter, r *http.Request) {
		session, _ := sojourn.From(r.Context())
		if err := session.RenewNow(r.Context()); err != nil {
			s.manager.Error(w, r, err)
		}
	})
	mux.HandleFunc("GET /publish", func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.FormValue("n"))
		for end, _ := strconv.Atoi(r.FormValue("end")); err == nil && n < end; n++ {
			err = hub.Publish(r.Context(), live.ToSession(sojourn.ID(r.FormValue("id"))), "app.n", n)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	mux.HandleFunc("GET /revoke", func(w http.ResponseWriter, r *http.Request) {
		var err error
		if owner := r.FormValue("owner"); owner != "" {
			err = s.manager.RevokeOwner(r.Context(), owner)
		} else {
			err = s.manager.Revoke(r.Context(), sojourn.ID(r.FormValue("id")), sojourn.ReasonRevoked)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	mux.HandleFunc("GET /present", func(w http.ResponseWriter, r *http.Request) {
		to := live.ToOwner(r.FormValue("owner"))
		if topic := r.FormValue("topic"); topic != "" {
			to = live.ToTopic(topic)
		}
		ids, err := hub.Present(r.Context(), to)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
		json.NewEncoder(w).Encode(ids)
	})
	server := &http.Server{Handler: s.manager.Handler(mux)}
	transport := &http.Transport{MaxIdleConnsPerHost: 1000}
	if set.server != nil {
		set.server(server, transport)
	}
	var listener net.Listener
	if set.pipes {
		pipes := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
		listener = pipes
		transport.DialContext = pipes.dial
		s.base = "http://site.example"
	} else {
		if listener, err = net.Listen("tcp", cmp.Or(set.listen, "127.0.0.1:0")); err != nil {
			t.Fatal(err)
		}
		s.base = "http://" + listener.Addr().String()
	}
	s.client = &http.Client{Transport: transport}
	served := make(chan struct{})
	go func() { defer close(served); server.Serve(listener) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := hub.Drain(ctx); err != nil {
			t.Error(err)
		}
		server.Close()
		<-served
		transport.CloseIdleConnections()
		s.manager.Close()
	})
	return s
}

type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { l.once.Do(func() { close(l.done) }); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }
