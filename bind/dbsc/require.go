package dbsc

import (
	"net/http"

	"github.com/sojournhq/sojourn"
)

// Require lets only bound sessions through to next. An unbound one is answered 403
// with a problem document (RFC 9457) of code "device_binding_required" and another
// offer, so that a page can try again in a moment; without a session it is 401
// "session_none". Browsers that do not speak the protocol never get through.
func (b *Binder) Require(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		state, err := b.State(r.Context())
		switch {
		case err != nil:
			b.fail(w, r, err)
		case state == StateBound:
			next.ServeHTTP(w, r)
		case state == StateNone:
			b.fail(w, r, sojourn.ErrNotFound)
		default:
			if err := b.Offer(w, r); err != nil {
				b.fail(w, r, err)
				return
			}
			refuse(w, problem{http.StatusForbidden, "device_binding_required", "This needs a session that is bound to a device."})
		}
	})
}
