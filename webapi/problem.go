package webapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"strconv"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/live"
)

// A code is the stable name of a way to fail. Clients compare codes, never
// texts. docs/protocol.md explains each; a test keeps both lists in step.
type code string

const (
	codeMalformedJSON        code = "malformed_json"
	codeInvalidRequest       code = "invalid_request"
	codeSessionNone          code = "session_none"
	codeSessionEnded         code = "session_ended"
	codeCSRFHeaderMissing    code = "csrf_header_missing"
	codeCrossSite            code = "cross_site"
	codeCSRFTokenInvalid     code = "csrf_token_invalid"
	codeStepUpRequired       code = "step_up_required"
	codeSessionLimit         code = "session_limit"
	codeRateLimited          code = "rate_limited"
	codeNotReadable          code = "not_readable"
	codeNotWritable          code = "not_writable"
	codeNotFound             code = "not_found"
	codeNoMember             code = "no_member"
	codeNoDevice             code = "no_device"
	codeMethodNotAllowed     code = "method_not_allowed"
	codeAbsoluteLimit        code = "absolute_limit"
	codeSessionChanged       code = "session_changed"
	codeRevConflict          code = "rev_conflict"
	codeBodyTooLarge         code = "body_too_large"
	codeSessionTooLarge      code = "session_too_large"
	codeUnsupportedMediaType code = "unsupported_media_type"
	codePreconditionRequired code = "precondition_required"
	codeHeadersTooLarge      code = "headers_too_large"
	codeInternal             code = "internal"
	codeUnsupported          code = "unsupported"
	codeStoreUnavailable     code = "store_unavailable"
	codeMessageRejected      code = "message_rejected"
	codeTooManyConnections   code = "too_many_connections"
	codeServerBusy           code = "server_busy"
)

// codes is the table: status and title of every code.
var codes = map[code]struct {
	status int
	title  string
}{
	codeMalformedJSON:        {400, "The body is not JSON as this API takes it"},
	codeInvalidRequest:       {400, "The request is invalid"},
	codeSessionNone:          {401, "There is no session"},
	codeSessionEnded:         {401, "The session has ended"},
	codeCSRFHeaderMissing:    {403, "The X-Session-CSRF header is missing"},
	codeCrossSite:            {403, "The request came from another site"},
	codeCSRFTokenInvalid:     {403, "The CSRF token is missing or not of this session"},
	codeStepUpRequired:       {403, "The user has to authenticate again"},
	codeSessionLimit:         {409, "The user has as many sessions as they may"},
	codeRateLimited:          {429, "Too many requests of this kind came from here"},
	codeNotReadable:          {403, "The member is not readable by pages"},
	codeNotWritable:          {403, "The member is not writable by pages"},
	codeNotFound:             {404, "There is no such resource"},
	codeNoMember:             {404, "The session holds no such member"},
	codeNoDevice:             {404, "The user has no such session"},
	codeMethodNotAllowed:     {405, "The resource does not answer this method"},
	codeAbsoluteLimit:        {409, "The session cannot be extended any further"},
	codeSessionChanged:       {409, "Another session has taken the place of the expected one"},
	codeRevConflict:          {412, "The data has changed meanwhile"},
	codeBodyTooLarge:         {413, "The body is too large"},
	codeSessionTooLarge:      {413, "The session would grow too large"},
	codeUnsupportedMediaType: {415, "The body is of an unsupported media type"},
	codePreconditionRequired: {428, "An If-Match header is required"},
	codeHeadersTooLarge:      {431, "The request's cookies are too large"},
	codeInternal:             {500, "The server failed"},
	codeUnsupported:          {501, "The session store cannot do this"},
	codeStoreUnavailable:     {503, "The session store does not answer"},
	codeMessageRejected:      {422, "The application takes no such message"},
	codeTooManyConnections:   {429, "The session has too many live connections"},
	codeServerBusy:           {503, "This server takes no more live connections"},
}

// typeBase makes a code the address of its explanation (RFC 9457 §3.1.1).
const typeBase = "https://github.com/sojournhq/sojourn/blob/main/docs/protocol.md#"

// A problem is an error that is ready to be sent.
type problem struct {
	code   code
	detail string         // for a developer; never a token or a member's value
	extra  map[string]any // members besides those of RFC 9457

	challenge string // WWW-Authenticate, where it is not that of every 401
}

func (p *problem) Error() string { return string(p.code) + ": " + p.detail }

func problemf(c code, format string, args ...any) *problem {
	return &problem{code: c, detail: fmt.Sprintf(format, args...)}
}

// problemOf finds the problem an error of the core stands for. Errors' own
// texts are for the log of the server, not for the client.
func problemOf(err error) *problem {
	var p *problem
	var dead *live.Ended
	var no refusal
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &dead) && dead.State == sojourn.StateNone:
		return problemf(codeSessionNone, "This API begins no sessions.")
	case errors.As(err, &dead):
		return ended(sojourn.Status{Reason: dead.Reason})
	case errors.Is(err, live.ErrRejected):
		return problemf(codeMessageRejected, "Types begin with app. and must be known to the application.")
	case errors.Is(err, live.ErrTooMany):
		return problemf(codeTooManyConnections, "Close one of its tabs, or share a connection between them.")
	case errors.Is(err, live.ErrBusy):
		return problemf(codeServerBusy, "Another server may have room. The session lives on.")
	case errors.Is(err, sojourn.ErrUnavailable), errors.Is(err, sojourn.ErrConflict): // here: others won time and again
		return problemf(codeStoreUnavailable, "Whether the session lives is unknown. Try again; do not treat it as ended.")
	case errors.Is(err, sojourn.ErrNotFound), errors.Is(err, sojourn.ErrStaleToken):
		return problemf(codeSessionEnded, "It ended before the request was complete; nothing was stored.")
	case errors.Is(err, sojourn.ErrAbsoluteLimit):
		return problemf(codeAbsoluteLimit, "Its absolute lifetime is used up; the user has to log in again.")
	case errors.As(err, &no) && refusals[no.Problem()["code"]] != nil:
		return refusals[no.Problem()["code"]](no)
	case errors.Is(err, sojourn.ErrCSRF):
		return problemf(codeCSRFTokenInvalid, "It belongs into the header X-CSRF-Token or the form field csrf_token, and a login makes it another. Load the page again.")
	case errors.Is(err, sojourn.ErrTooLarge):
		return problemf(codeSessionTooLarge, "A limit on the size of the session or the number of its members would be exceeded; nothing was stored.")
	case errors.Is(err, sojourn.ErrCrossSite):
		return problemf(codeCrossSite, "Only pages of this origin may do this.")
	case errors.Is(err, sojourn.ErrUnsupported):
		return problemf(codeUnsupported, "The store keeps no lists of users' sessions.")
	case errors.Is(err, sojourn.ErrNoMiddleware):
		return problemf(codeInternal, "The API is not mounted below Manager.Handler.")
	case errors.Is(err, sojourn.ErrInvalid):
		return problemf(codeInvalidRequest, "The name or the value of a member is not one a session can hold.")
	}
	return problemf(codeInternal, "The server's log tells more.")
}

// fail answers with err and logs what the client is not told.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	if p.code == codeInternal {
		a.rules.Logger.ErrorContext(r.Context(), "webapi: request failed", "method", r.Method, "error", err)
	}
	p.write(w)
}

// ErrorHandler answers in the form of this API, application/problem+json, what
// the Manager refuses before or after the API's own answer. Use it as
// sojourn.Options.ErrorHandler, or call it there for paths of the API only.
func ErrorHandler(w http.ResponseWriter, _ *http.Request, status int, err error) {
	p := problemOf(err)
	if status == http.StatusRequestHeaderFieldsTooLarge {
		p = problemf(codeHeadersTooLarge, "Too many or too large cookies for this host.")
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	p.write(w)
}

func (p *problem) write(w http.ResponseWriter) {
	entry := codes[p.code]
	h := w.Header()
	switch entry.status {
	case http.StatusForbidden:
		if p.challenge != "" {
			h.Set("WWW-Authenticate", p.challenge)
		}
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", "Session") // RFC 9110 §15.5.2 wants one; browsers ignore unknown schemes
	case http.StatusServiceUnavailable:
		if h.Get("Retry-After") == "" {
			wait := 1
			if p.code == codeServerBusy { // many may be told at once
				wait += rand.IntN(5)
			}
			h.Set("Retry-After", strconv.Itoa(wait))
		}
	}
	body := map[string]any{
		"type":   typeBase + string(p.code),
		"title":  entry.title,
		"status": entry.status,
		"code":   p.code,
		"detail": p.detail,
	}
	maps.Copy(body, p.extra)
	writeJSON(w, entry.status, "application/problem+json", body)
}

// writeJSON encodes v. A stored member that is no JSON makes it a 500.
func writeJSON(w http.ResponseWriter, status int, mediaType string, v any) {
	var buf bytes.Buffer
	if err := json.NewEncoder(&buf).Encode(v); err != nil {
		buf.Reset()
		status, mediaType = http.StatusInternalServerError, "application/problem+json"
		fmt.Fprintf(&buf, `{"type":%q,"title":%q,"status":500,"code":%q}`+"\n", typeBase+codeInternal, codes[codeInternal].title, codeInternal)
	}
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	w.Write(buf.Bytes())
}
