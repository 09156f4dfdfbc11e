package demo

import (
	"encoding/json"
	"errors"
	"log/slog"
	"mime"
	"net/http"

	"github.com/sojournhq/sojourn"
)

// maxBody bounds what the page sends: a note of 2000 bytes, escaped.
const maxBody = 16 << 10

// read decodes the request's JSON into v, or answers why not.
func (d *demo) read(w http.ResponseWriter, r *http.Request, v any) bool {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		problem(w, http.StatusUnsupportedMediaType, "not_json", "Expected Content-Type: application/json.")
		return false
	}
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		problem(w, http.StatusBadRequest, "bad_json", "The body is not the JSON this expects.")
		return false
	}
	return true
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	json.NewEncoder(w).Encode(v)
}

// problem answers with an error of RFC 9457. Code is for programs.
func problem(w http.ResponseWriter, status int, code, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{
		"status": status, "title": http.StatusText(status), "code": code, "detail": detail,
	})
}

// fail answers an error of the session. An outage is never reported as a
// logout.
func (d *demo) fail(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, sojourn.ErrUnavailable):
		w.Header().Set("Retry-After", "1")
		problem(w, http.StatusServiceUnavailable, "unavailable", "The session store does not answer. Your session is not lost; try again in a moment.")
	case errors.Is(err, sojourn.ErrNotFound):
		problem(w, http.StatusUnauthorized, "ended", "This session has ended.")
	case errors.Is(err, sojourn.ErrStaleToken):
		problem(w, http.StatusUnauthorized, "ended", "This session has ended. Log in, or start again.")
	case errors.Is(err, sojourn.ErrTooLarge):
		problem(w, http.StatusRequestEntityTooLarge, "too_large", "This session is full.")
	case errors.Is(err, sojourn.ErrType):
		problem(w, http.StatusConflict, "wrong_type", "The stored value has another type. Delete it in the table of session data.")
	case errors.Is(err, sojourn.ErrSessionLimit), errors.Is(err, sojourn.ErrRateLimited):
		d.sessions.Error(w, r, err)
	default:
		d.logger.LogAttrs(r.Context(), slog.LevelError, "demo request failed", slog.String("path", r.URL.Path), slog.Any("error", err))
		problem(w, http.StatusInternalServerError, "internal", "Something went wrong on the server.")
	}
}
