// Package demo is the page at / of `sojourn serve`: one visitor's session, to
// be looked at and handled. It stores nothing until the visitor logs in or
// keeps something.
//
// It is also an example of an application: who the users are and what the shop
// sells is its own business (catalog.go), data is kept under typed keys
// (session.go), and everything the browser may see or write directly it does
// through the session API and its SDK, which package server mounts beside it.
package demo

import (
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/bind/dbsc"
)

// Options shape the demo. The zero value is fine.
type Options struct {
	// Binder binds sessions to devices. Default nil: no binding.
	Binder *dbsc.Binder
	// Logger receives what an operator should see. Default: silence.
	Logger *slog.Logger
}

//go:embed assets
var embedded embed.FS

type demo struct {
	sessions *sojourn.Manager
	binder   *dbsc.Binder
	logger   *slog.Logger
	pages    *template.Template
}

// New returns the page and its API. It expects m.Handler around it.
func New(m *sojourn.Manager, opt *Options) (http.Handler, error) {
	d := &demo{sessions: m, logger: slog.New(slog.DiscardHandler)}
	if opt != nil {
		d.binder = opt.Binder
	}
	if opt != nil && opt.Logger != nil {
		d.logger = opt.Logger
	}
	assets, err := fs.Sub(embedded, "assets")
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	if d.pages, err = template.ParseFS(assets, "*.html"); err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	files, err := newFiles(assets)
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}

	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", d.index)
	mux.Handle("GET /demo/assets/{file}", files)
	mux.HandleFunc("GET /demo/me", d.me)
	mux.HandleFunc("GET /demo/cookie", d.cookie)
	mux.HandleFunc("POST /demo/login", d.login)
	mux.HandleFunc("POST /demo/visit", d.visit)
	mux.HandleFunc("POST /demo/cart", d.addToCart)
	mux.HandleFunc("POST /demo/note", d.keepNote)
	mux.HandleFunc("/", d.notFound)
	return mux, nil
}
