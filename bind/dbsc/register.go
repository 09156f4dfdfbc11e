package dbsc

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/sojournhq/sojourn"
)

// register keeps the key of the session's device.
func (b *Binder) register(w http.ResponseWriter, r *http.Request) error {
	s, st, err := session(r)
	if err != nil {
		return err
	}
	value, ok := field(r.Header, headerResponse)
	if !ok {
		return fmt.Errorf("%w: expected one header %s", errProof, headerResponse)
	}
	p, err := readProof(value, nil)
	if err != nil {
		return err
	}
	if !b.accepts(&st, p.challenge) {
		return errChallenge
	}
	k, err := newBinding(p.key, st.Now)
	if err != nil {
		return fmt.Errorf("%w: %w", errProof, err)
	}
	err = s.Bind(r.Context(), func(old []byte) ([]byte, error) {
		// A key that registered but never came back may be replaced: the answer
		// to it was lost. A stolen cookie must not bind the session anew.
		if current, err := decodeBinding(old); len(old) > 0 && (err != nil || current.held != 0) {
			return nil, errBound
		}
		return k.encode(), nil
	})
	if err != nil {
		return err
	}
	return b.configure(w, &st, k)
}

// session returns the request's live session. The browser's own requests are no
// activity of the user.
func session(r *http.Request) (*sojourn.Session, sojourn.Status, error) {
	s, err := sojourn.From(r.Context())
	if err != nil {
		return nil, sojourn.Status{}, err
	}
	s.Passive()
	st, err := s.Status(r.Context())
	if err == nil && st.State != sojourn.StateActive {
		err = sojourn.ErrNotFound
	}
	return s, st, err
}

// fail answers an error. What says that the binding is over is 401, which makes
// the browser forget it, as any 4xx but 403, 407 and 429 does; what may pass is
// 5xx (draft §8.8).
func (b *Binder) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problem{http.StatusInternalServerError, "internal", "The server failed."}
	switch {
	case errors.Is(err, sojourn.ErrUnavailable), errors.Is(err, sojourn.ErrConflict):
		w.Header().Set("Retry-After", "2")
		p = problem{http.StatusServiceUnavailable, "store_unavailable", "The session store does not answer. Nothing is lost; try again."}
	case errors.Is(err, sojourn.ErrNotFound):
		p = problem{http.StatusUnauthorized, "session_none", "There is no such session, or it has ended."}
	case errors.Is(err, errOther):
		p = problem{http.StatusUnauthorized, "binding_unknown", "The session is not bound, or bound otherwise."}
	case errors.Is(err, errBound):
		p = problem{http.StatusConflict, "bound_already", "The session is bound to a device."}
	case errors.Is(err, errChallenge):
		p = problem{http.StatusBadRequest, "challenge_unknown", "The challenge is not one of this session's, or it is too old."}
	case errors.Is(err, errProof):
		b.opt.Logger.WarnContext(r.Context(), "a proof was refused", "path", r.URL.Path, "error", err)
		p = problem{http.StatusBadRequest, "proof_invalid", "The proof is not valid."}
	default:
		b.opt.Logger.ErrorContext(r.Context(), "dbsc request failed", "path", r.URL.Path, "error", err)
	}
	refuse(w, p)
}
