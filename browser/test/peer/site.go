package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/live"
	"github.com/sojournhq/sojourn/store/memstore"
	"github.com/sojournhq/sojourn/webapi"
)

// A site is one application.
type site struct {
	url     string
	manager *sojourn.Manager
	hub     *live.Hub
	ahead   atomic.Int64 // of the real clock
	handler http.Handler

	mu       sync.Mutex
	server   *http.Server
	requests []request
	messages []message
	refused  []string
	status   int
	held     chan struct{} // closed by the next refuse
}

// A request as the site's network saw it.
type request struct {
	Method, Path, Query string
	Key                 string // Idempotency-Key
	CSRF                bool
	At                  int64 // milliseconds of the real clock
}

// A message of a page.
type message struct {
	Type, ID, Owner string
	Data            json.RawMessage
}

func newSite(pages string, o order) (*site, error) {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	s := &site{}
	s.hub = must(live.New(&live.Options{OnMessage: s.onMessage, Ping: ms(o.Ping), MaxAge: ms(o.MaxAge), Recheck: time.Second, DrainOver: time.Second}))
	var err error
	s.manager, err = sojourn.New(memstore.New(nil), &sojourn.Options{
		Policy:       sojourn.Policy{Idle: ms(o.Idle), Absolute: ms(o.Absolute), Rotate: -1},
		Cookie:       sojourn.Cookie{Name: "peer", Insecure: true},
		Clock:        func() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) },
		ErrorHandler: webapi.ErrorHandler,
		Observers:    []sojourn.Observer{s.hub},
	})
	if err != nil {
		return nil, err
	}
	open := []string{"cart", "note", "draft", "ui.*"}
	api, err := webapi.New(s.manager, &webapi.Options{Readable: open, Writable: open, AllowDevices: true, Live: s.hub, WarnBefore: ms(o.Warn)})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/_session/", api)
	mux.HandleFunc("POST /login", s.login)
	mux.HandleFunc("POST /begin", s.begin)
	mux.HandleFunc("/work", s.work)
	mux.Handle("/p/", strict(http.StripPrefix("/p/", http.FileServer(http.Dir(pages)))))
	s.handler = s.manager.Handler(mux)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.url = "http://" + l.Addr().String()
	s.serve(l)
	return s, nil
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// strict allows nothing inline and no eval.
func strict(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; require-trusted-types-for 'script'")
		w.Header().Set("Cache-Control", "max-age=60")
		next.ServeHTTP(w, r)
	})
}

func (s *site) login(w http.ResponseWriter, r *http.Request) {
	session, err := sojourn.From(r.Context())
	if err == nil {
		err = session.Login(r.Context(), r.FormValue("user"))
	}
	if err != nil {
		webapi.ErrorHandler(w, r, 500, err)
	}
}

// begin begins a session of nobody's.
func (s *site) begin(w http.ResponseWriter, r *http.Request) {
	if err := sojourn.Key[string]("ui.begun").Set(r.Context(), "yes"); err != nil {
		webapi.ErrorHandler(w, r, 500, err)
	}
}

// work is a request of the application's own, for users only.
func (s *site) work(w http.ResponseWriter, r *http.Request) {
	session, err := sojourn.From(r.Context())
	var owner string
	if err == nil {
		owner, err = session.Owner(r.Context())
	}
	if err != nil || owner == "" {
		http.Error(w, "log in, please", http.StatusUnauthorized)
		return
	}
	body, _ := io.ReadAll(r.Body)
	json.NewEncoder(w).Encode(map[string]string{"owner": owner, "body": string(body)})
}

func (s *site) onMessage(ctx context.Context, m live.Message) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = append(s.messages, message{m.Type, m.ID, m.Owner, m.Data})
	if m.Type == "app.refuse" {
		return nil, live.ErrRejected
	}
	return map[string]any{"echo": m.Data}, nil
}

func (s *site) seen() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]request{}, s.requests...)
}

func (s *site) heard() []message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]message{}, s.messages...)
}

func (s *site) refuse(paths []string, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused, s.status = paths, status
	if s.held != nil {
		close(s.held)
	}
	s.held = make(chan struct{})
}

// ServeHTTP is the way to the site, with a log and faults.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, request{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Get("Idempotency-Key"), r.Header.Get("X-Session-CSRF") != "", time.Now().UnixMilli()})
	refused, status, held := false, s.status, s.held
	for _, p := range s.refused {
		refused = refused || strings.HasPrefix(r.URL.Path, p)
	}
	s.mu.Unlock()
	if refused && status == -1 {
		<-held
		refused = false
	}
	switch {
	case refused && status == 0:
		panic(http.ErrAbortHandler)
	case refused:
		http.Error(w, "refused", status)
	default:
		s.handler.ServeHTTP(w, r)
	}
}

func (s *site) serve(l net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.server = &http.Server{Handler: s, ConnState: s.track}
	go s.server.Serve(l)
}

var conns sync.Map // net.Conn → *site

// track keeps connections that were taken over, which Close does not know.
func (s *site) track(c net.Conn, state http.ConnState) {
	if state == http.StateClosed {
		conns.Delete(c)
	} else {
		conns.Store(c, s)
	}
}

// down hangs up on everybody, and answers nobody.
func (s *site) down() {
	s.mu.Lock()
	s.server.Close()
	s.mu.Unlock()
	conns.Range(func(c, of any) bool {
		if of == s {
			c.(net.Conn).Close()
			conns.Delete(c)
		}
		return true
	})
}

func (s *site) up() error {
	l, err := net.Listen("tcp", strings.TrimPrefix(s.url, "http://"))
	if err == nil {
		s.serve(l)
	}
	return err
}
