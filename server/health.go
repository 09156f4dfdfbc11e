package server

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/sojournhq/sojourn"
)

// pingTimeout bounds one question to the store. Orchestrators give a probe one
// second by default; an answer must fit into that.
const pingTimeout = 800 * time.Millisecond

// healthz says that the process runs. It asks nothing else, because a restart
// cures nothing else: a store outage must not make an orchestrator kill us.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, "ok")
}

// readyz says whether requests should be sent here now.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	if s.draining.Load() {
		answer(w, http.StatusServiceUnavailable, "draining")
		return
	}
	if s.store != nil {
		if p, ok := sojourn.As[sojourn.Pinger](s.store); ok {
			ctx, cancel := context.WithTimeout(r.Context(), pingTimeout)
			defer cancel()
			if err := p.Ping(ctx); err != nil {
				s.logger.LogAttrs(r.Context(), slog.LevelWarn, "store does not answer", slog.Any("error", err))
				answer(w, http.StatusServiceUnavailable, "store does not answer")
				return
			}
		}
	}
	answer(w, http.StatusOK, "ready")
}

func answer(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	if status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "1")
	}
	w.WriteHeader(status)
	io.WriteString(w, text+"\n")
}
