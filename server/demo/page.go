package demo

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/sojournhq/sojourn"
)

// index is the page. Opening it is an activity of a user who has a session and
// costs nothing for one who has none.
func (d *demo) index(w http.ResponseWriter, r *http.Request) {
	if s, err := sojourn.From(r.Context()); err == nil {
		// A store outage must not take the page away, which will say so itself.
		if _, err := s.Exists(r.Context()); err != nil {
			d.logger.LogAttrs(r.Context(), slog.LevelWarn, "page shown without its session", slog.Any("error", err))
		}
	}
	if d.binder != nil { // to whoever missed the one that came with the login
		if err := d.binder.Offer(w, r); err != nil {
			d.logger.LogAttrs(r.Context(), slog.LevelWarn, "no binding was offered", slog.Any("error", err))
		}
	}
	d.page(w, r, http.StatusOK, "index.html", map[string]any{"Users": users, "Products": products, "MaxNote": maxNote, "MaxText": maxText})
}

func (d *demo) notFound(w http.ResponseWriter, r *http.Request) {
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		d.page(w, r, http.StatusNotFound, "404.html", nil)
		return
	}
	problem(w, http.StatusNotFound, "not_found", "There is nothing here.")
}

func (d *demo) page(w http.ResponseWriter, r *http.Request, status int, name string, data any) {
	var b bytes.Buffer
	if err := d.pages.ExecuteTemplate(&b, name, data); err != nil {
		d.fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	// no-store also keeps the page out of the back/forward cache after a logout.
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	b.WriteTo(w)
}

// Cents writes a price.
func (p product) Cents() string { return fmt.Sprintf("%d.%02d", p.Price/100, p.Price%100) }

// Initial is what a user's picture shows.
func (u user) Initial() string { return u.Name[:1] }
