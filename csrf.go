package sojourn

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"net/http"
)

// A token for forms, besides the origin check that every request meets: for
// those whose rules ask for one (NIST SP 800-63B-4 §5.1), or whose users have
// browsers that send neither Sec-Fetch-Site nor Origin. It is a random secret of
// the session's record, which a login, Elevate and RenewNow forget, and which
// never leaves unmasked: each page carries it under another mask, so that the
// length of a compressed page tells nothing of it (BREACH).
//
//	token = base64url(mask ‖ mask XOR secret), 43 characters

const formBytes = 16

func (h *head) setForm(secret *[formBytes]byte) {
	h.flags, h.form = h.flags&^flagForm, secret
	if secret != nil {
		h.flags |= flagForm
	}
}

// CSRFToken returns a token for the forms of this page, another one each time;
// all of a session's are good until the next login, Elevate or RenewNow. The
// first call stores something, and begins a session if there is none; it commits
// what was changed so far.
func (s *Session) CSRFToken(ctx context.Context) (string, error) {
	if err := s.m.lacks("tokens for forms", true); err != nil {
		return "", fmt.Errorf("sojourn: csrf token: %w", err)
	}
	if err := s.useToWrite(ctx); err != nil {
		return "", err
	}
	defer s.unlock()
	if s.state != StateActive {
		if err := s.mayBegin(ctx); err != nil {
			return "", err
		}
		if err := s.begin(""); err != nil {
			return "", err
		}
	}
	fresh := new([formBytes]byte)
	rand.Read(fresh[:])
	if s.birth != nil && s.birth.form == nil {
		s.birth.form = fresh
		s.imprint(&s.draft)
	}
	for s.draft.head.form == nil { // again if a step-up has left with it
		err := s.record(op{kind: opMeta, fn: func(d *draft) error {
			if d.head.form == nil { // nor another request's
				d.head.setForm(fresh)
			}
			return nil
		}})
		if err == nil {
			err = s.commit(ctx)
		}
		if err == nil {
			err = s.load(ctx)
		}
		if err != nil {
			return "", fmt.Errorf("sojourn: csrf token: %w", err)
		}
	}
	return maskForm(s.draft.head.form), nil
}

func maskForm(secret *[formBytes]byte) string {
	var b [2 * formBytes]byte
	rand.Read(b[:formBytes])
	subtle.XORBytes(b[formBytes:], b[:formBytes], secret[:])
	return b64.EncodeToString(b[:])
}

// VerifyCSRF returns nil if token is one of this session's, else ErrCSRF.
func (s *Session) VerifyCSRF(ctx context.Context, token string) error {
	if err := s.known(ctx); err != nil {
		return err
	}
	defer s.unlock()
	raw, err := b64.Strict().DecodeString(token)
	if err != nil || len(raw) != 2*formBytes || s.state != StateActive || s.draft.head.form == nil {
		return fmt.Errorf("sojourn: %w", ErrCSRF)
	}
	var got [formBytes]byte
	subtle.XORBytes(got[:], raw[:formBytes], raw[formBytes:])
	if subtle.ConstantTimeCompare(got[:], s.draft.head.form[:]) != 1 {
		return fmt.Errorf("sojourn: %w", ErrCSRF)
	}
	return nil
}

// The names under which a token travels.
const (
	csrfHeader = "X-Csrf-Token"
	csrfField  = "csrf_token"
)

// RequireCSRF guards a handler: a request that may change something (any but
// GET, HEAD, OPTIONS and TRACE) of a live session must carry one of the
// session's tokens, in the header X-CSRF-Token or, in an HTML form, in the field
// csrf_token; else it is answered 403, ErrCSRF. The header is looked at first: a
// form is read, as by http.Request.FormValue, only where it is missing. Requests
// without a session, and those that send their token in Options.Header, which no
// form can do, pass.
func (m *Manager) RequireCSRF(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := verifyRequest(r); err != nil {
			m.Error(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func verifyRequest(r *http.Request) error {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return nil
	}
	s, err := From(r.Context())
	if err != nil {
		return err
	}
	if s.req != nil && s.req.byHeader() {
		return nil
	}
	st, err := s.Status(r.Context())
	if err != nil || st.State != StateActive {
		return err
	}
	token := r.Header.Get(csrfHeader)
	if token == "" {
		token = r.PostFormValue(csrfField)
	}
	return s.VerifyCSRF(r.Context(), token)
}
