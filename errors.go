package sojourn

import "errors"

// Errors a caller acts on. They are wrapped with the package and the operation
// that met them; compare with errors.Is.
var (
	// ErrNoMiddleware: the context carries no session.
	ErrNoMiddleware = errors.New("sojourn: no session in this context; wrap the handler with Manager.Handler, or use Manager.Open and NewContext outside a request")

	// Met while reading.

	// ErrNotFound: there is no such session, or it has ended.
	ErrNotFound = errors.New("sojourn: no such session")
	// ErrNoMember: the session holds no member of that name.
	ErrNoMember = errors.New("sojourn: no such member")
	// ErrType: a stored member does not fit the type it is read as.
	ErrType = errors.New("sojourn: member has another type")
	// ErrReplayed: the secret was valid once and has been replaced.
	ErrReplayed = errors.New("sojourn: secret was replaced earlier")
	// ErrUnavailable: the store did not answer or failed. The session's fate is
	// unknown: never treat it as ended.
	ErrUnavailable = errors.New("sojourn: store unavailable")
	// ErrCorrupt: a stored record cannot be decoded, or is of a newer version. A
	// store that returns it says: no session, and no outage either.
	ErrCorrupt = errors.New("sojourn: record cannot be decoded")

	// Met while writing.

	// ErrConflict: the stored version is not the one the change was based on.
	ErrConflict = errors.New("sojourn: session changed meanwhile")
	// ErrTooLarge: a limit of Options would be exceeded; nothing was stored.
	ErrTooLarge = errors.New("sojourn: too large")
	// ErrHeadersSent: the operation needs a cookie, but the answer has begun.
	ErrHeadersSent = errors.New("sojourn: the response has begun, so no cookie can be sent; log in or renew before writing the body")
	// ErrExists: Create met a record of the same ID.
	ErrExists = errors.New("sojourn: session exists already")
	// ErrStaleToken: no new session is begun for a client whose token has just
	// ended or been replaced, since it may hold a fresher one already.
	ErrStaleToken = errors.New("sojourn: the presented token has ended; a new session starts with the next login or request without it")
	// ErrAbsoluteLimit: the session has reached its absolute deadline and
	// cannot be extended any further.
	ErrAbsoluteLimit = errors.New("sojourn: absolute deadline reached")

	// Met while asking for what cannot be.

	// ErrInvalid: an argument or option is malformed; the text says what was expected.
	ErrInvalid = errors.New("sojourn: invalid")
	// ErrUnsupported: this store cannot do it.
	ErrUnsupported = errors.New("sojourn: not supported by this store")
	// ErrStepUp: the user must authenticate again, or better. The error also has
	// the methods Problem() map[string]any, the members of a problem document,
	// and Challenge() string, a WWW-Authenticate header.
	ErrStepUp = errors.New("sojourn: a fresher or stronger authentication is required")
	// ErrSessionLimit: the user has Options.MaxSessions sessions already. The
	// error also has the methods Problem, as ErrStepUp, and Devices() []Status:
	// which, the oldest first, if Options.OnMaxSessions is "ask".
	ErrSessionLimit = errors.New("sojourn: the user has as many sessions as they may")
	// ErrRateLimited: the source of the request did too much of this. The error
	// also has the methods Problem, as ErrStepUp, and RetryAfter() time.Duration.
	ErrRateLimited = errors.New("sojourn: too many requests of this kind from this source")
	// ErrCSRF: the request lacks a token of its session for forms.
	ErrCSRF = errors.New("sojourn: the CSRF token is missing, or not of this session")
	// ErrCrossSite: a cross-site request that could change something was refused.
	ErrCrossSite = errors.New("sojourn: cross-site request refused")
)
