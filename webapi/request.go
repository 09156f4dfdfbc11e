package webapi

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/sojournhq/sojourn"
)

// Headers of the wire, besides those of HTTP.
const (
	headerCSRF     = "X-Session-Csrf"     // any value: a form cannot send it
	headerHandle   = "X-Session-Handle"   // in answers: whose session; in requests: the one expected
	headerActivity = "X-Session-Activity" // "user" or "none": does this request count as use?
)

// A use says whether a request counts as an activity of the user where its
// X-Session-Activity header does not.
type use bool

const (
	background use = false
	activity   use = true
)

// session returns the session of a request as it stands: active, ended or none.
// Nothing is loaded before.
func (a *API) session(w http.ResponseWriter, r *http.Request, def use) (*sojourn.Session, sojourn.Status, error) {
	s, err := sojourn.From(r.Context())
	if err != nil {
		return nil, sojourn.Status{}, err
	}
	counts := def
	switch r.Header.Get(headerActivity) {
	case "user":
		counts = activity
	case "none":
		counts = background
	}
	if counts == background {
		s.Passive()
	}
	st, err := s.Status(r.Context())
	if err == nil && st.State == sojourn.StateActive {
		w.Header().Set(headerHandle, handle(st.ID))
	}
	return s, st, err
}

// active is session where only a living one will do, and where it must be the
// one the client means.
func (a *API) active(w http.ResponseWriter, r *http.Request, def use) (*sojourn.Session, sojourn.Status, error) {
	s, st, err := a.session(w, r, def)
	if err == nil {
		err = alive(r, st)
	}
	return s, st, err
}

func alive(r *http.Request, st sojourn.Status) error {
	switch st.State {
	case sojourn.StateActive:
		if want := r.Header.Get(headerHandle); want != "" && want != handle(st.ID) {
			return problemf(codeSessionChanged, "The cookie belongs to another session than %s names. Ask for the status.", headerHandle)
		}
		return nil
	case sojourn.StateEnded:
		return ended(st)
	}
	return problemf(codeSessionNone, "This API begins no sessions.")
}

func ended(st sojourn.Status) *problem {
	p := problemf(codeSessionEnded, "The user has to log in again.")
	p.extra = map[string]any{"reason": st.Reason}
	return p
}

// body reads a body of the media type, not longer than Options.MaxBody. Where
// it may be missing, none gives nil.
func (a *API) body(w http.ResponseWriter, r *http.Request, mediaType string, optional bool) ([]byte, error) {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(a.opt.MaxBody)))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, problemf(codeBodyTooLarge, "At most %d bytes are taken.", a.opt.MaxBody)
	}
	if err != nil {
		return nil, problemf(codeInvalidRequest, "The body could not be read to its end.")
	}
	if len(b) == 0 && optional {
		return nil, nil
	}
	got, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := params["charset"]
	if err != nil || got != mediaType || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return nil, problemf(codeUnsupportedMediaType, "Send the body as %s, in UTF-8.", mediaType)
	}
	if e := r.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return nil, problemf(codeUnsupportedMediaType, "Send the body uncompressed.")
	}
	return b, nil
}

// fields reads an optional body as a JSON object.
func (a *API) fields(w http.ResponseWriter, r *http.Request) (map[string]json.RawMessage, error) {
	b, err := a.body(w, r, "application/json", true)
	if err != nil || b == nil {
		return nil, err
	}
	return checkObject(b)
}

// field decodes a field into v, which keeps its value if there is none. Names
// are compared exactly, other than encoding/json does for structs.
func field(fields map[string]json.RawMessage, name string, v any) bool {
	raw, ok := fields[name]
	return !ok || json.Unmarshal(raw, v) == nil
}
