package sojourn

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// A refusal is an error that tells what the user can do about it: err is
// ErrStepUp, ErrSessionLimit or ErrRateLimited. It is not exported; who answers with one finds its methods by
// errors.As, with an interface of the caller's own.
type refusal struct {
	err error

	// ErrStepUp: an authentication at least this strong (0: any), and not older
	// (0: ever) is needed; the session's is this.
	level, hasLevel int
	maxAge, age     time.Duration

	// ErrSessionLimit
	limit   int
	devices []Status

	// ErrRateLimited
	wait time.Duration
}

// RetryAfter is when it is worth trying again; 0 where time does not help.
func (r *refusal) RetryAfter() time.Duration { return r.wait }

// Devices are the sessions of which the user may end one.
func (r *refusal) Devices() []Status { return r.devices }

func (r *refusal) Error() string {
	switch {
	case r.level > 0 && r.maxAge > 0:
		return fmt.Sprintf("%v: level %d within %v, the session has level %d of %v ago", r.err, r.level, r.maxAge, r.hasLevel, r.age)
	case r.level > 0:
		return fmt.Sprintf("%v: level %d, the session has level %d", r.err, r.level, r.hasLevel)
	case r.maxAge > 0:
		return fmt.Sprintf("%v: within %v, the session's was %v ago", r.err, r.maxAge, r.age)
	}
	return r.err.Error()
}

func (r *refusal) Unwrap() error { return r.err }

// Challenge is the WWW-Authenticate header that goes with ErrStepUp, in the
// words of RFC 9470 §3, "" for others. acr_values names a level n "aal<n>";
// max_age is in seconds.
func (r *refusal) Challenge() string {
	if !errors.Is(r.err, ErrStepUp) {
		return ""
	}
	c := `Session error="insufficient_user_authentication", error_description="A fresher or stronger authentication is required"`
	if r.level > 0 {
		c += `, acr_values="aal` + strconv.Itoa(r.level) + `"`
	}
	if r.maxAge > 0 {
		c += ", max_age=" + strconv.FormatInt(int64(r.maxAge/time.Second), 10)
	}
	return c
}

// headers adds those that go with the refusal to an answer.
func (r *refusal) headers(h http.Header) {
	if c := r.Challenge(); c != "" {
		h.Set("Www-Authenticate", c)
	}
	if r.wait > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64((r.wait+time.Second-1)/time.Second), 10))
	}
}

// Problem gives the particulars of the refusal for a problem document (RFC 9457),
// besides type, title, status and detail: "code" says what is refused.
func (r *refusal) Problem() map[string]any {
	m := map[string]any{}
	if errors.Is(r.err, ErrStepUp) {
		m["code"], m["level"] = "step_up_required", r.hasLevel
		if r.level > 0 {
			m["required_level"] = r.level
		}
		if r.maxAge > 0 {
			m["max_age_ms"], m["auth_age_ms"] = r.maxAge.Milliseconds(), r.age.Milliseconds()
		}
	}
	if errors.Is(r.err, ErrSessionLimit) {
		m["code"], m["limit"] = "session_limit", r.limit
	}
	if errors.Is(r.err, ErrRateLimited) {
		m["code"] = "rate_limited"
	}
	return m
}

// plainError is the default of Options.ErrorHandler: a line of text, or, for
// what a program can act on, a problem document.
func plainError(w http.ResponseWriter, _ *http.Request, status int, err error) {
	var r *refusal
	if !errors.As(err, &r) {
		http.Error(w, http.StatusText(status), status)
		return
	}
	m := r.Problem()
	m["title"], m["status"] = r.err.Error(), status
	body, err := json.Marshal(m)
	if err != nil {
		http.Error(w, http.StatusText(status), status)
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	w.Write(body)
}
