package server

import (
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/bind/dbsc"
	"github.com/sojournhq/sojourn/bind/device"
	"github.com/sojournhq/sojourn/live"
	"github.com/sojournhq/sojourn/server/demo"
	"github.com/sojournhq/sojourn/webapi"
)

// Options shape a Server. The zero value serves everything.
type Options struct {
	// Store is asked by /readyz whether it answers, if it can tell
	// (sojourn.Pinger). Default nil: /readyz looks at the process only.
	Store sojourn.Store
	// Live tells pages what happens to their session. It must be among m's
	// Observers; drain it after Drain. Default nil: pages have to ask.
	Live *live.Hub
	// Binder binds sessions to devices. It must have been made with m's options.
	// Default nil: no binding.
	Binder *dbsc.Binder
	// NoDemo leaves out the demo page. Set it where people other than its
	// visitors have sessions. Default false.
	NoDemo bool
	// Logger receives what an operator should see. Default: silence.
	Logger *slog.Logger
}

// A Server is the handler of the whole service. Methods are safe for parallel
// use.
type Server struct {
	handler  http.Handler
	store    sojourn.Store
	logger   *slog.Logger
	draining atomic.Bool
}

// New joins the parts around m. It does no I/O and starts nothing.
func New(m *sojourn.Manager, opt *Options) (*Server, error) {
	var o Options
	if opt != nil {
		o = *opt
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{store: o.Store, logger: o.Logger}

	inside := http.NewServeMux() // what has a session
	api := &webapi.Options{AllowDevices: true, DeviceName: device.Name, Live: o.Live}
	if !o.NoDemo {
		api.Readable = demo.Readable
		api.Writable = demo.Writable
		page, err := demo.New(m, &demo.Options{Binder: o.Binder, Logger: o.Logger})
		if err != nil {
			return nil, fmt.Errorf("server: %w", err)
		}
		inside.Handle("/", page)
	}
	sessions, err := webapi.New(m, api)
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	inside.Handle("/_session/", sessions)
	if o.Binder != nil {
		inside.Handle(o.Binder.Path(), o.Binder)
	}

	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.Handle("/", m.Handler(inside))
	s.handler = secure(mux)
	return s, nil
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Drain makes /readyz answer 503 from now on, so that a load balancer sends
// its requests elsewhere while those under way are finished.
func (s *Server) Drain() { s.draining.Store(true) }
