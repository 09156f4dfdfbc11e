package dbsc

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/sojournhq/sojourn"
)

// began offers a binding to whoever has just logged in.
func (b *Binder) began(h http.Header, r *http.Request, s *sojourn.Session) {
	st, err := s.Status(r.Context())
	if err == nil && st.Owner != "" {
		err = b.offer(h, &st)
	}
	if err != nil {
		b.opt.Logger.LogAttrs(r.Context(), slog.LevelWarn, "no binding was offered", slog.Any("error", err))
	}
}

// Offer offers a binding to a logged-in session that has none: one that is older
// than your use of this package, or whose browser missed the offer. Logins are
// offered one by themselves. Each offer that a browser takes up costs it one of
// its signatures, so offer with pages, not with every request. Call it before the
// answer begins; for others than unbound sessions it does nothing.
func (b *Binder) Offer(w http.ResponseWriter, r *http.Request) error {
	s, err := sojourn.From(r.Context())
	if err != nil {
		return err
	}
	st, err := s.Status(r.Context())
	if err != nil {
		return fmt.Errorf("dbsc: offer: %w", err)
	}
	if st.State != sojourn.StateActive || st.Owner == "" {
		return nil
	}
	raw, err := s.Binding(r.Context())
	if err != nil {
		return fmt.Errorf("dbsc: offer: %w", err)
	}
	since := st.AuthTime // of the login's own offer
	if len(raw) > 0 {
		k, err := decodeBinding(raw)
		if err != nil || k.held != 0 {
			return nil
		}
		since = time.UnixMicro(k.registered)
	}
	if st.Now.Sub(since) < offerFor { // it may be on its way
		return nil
	}
	return b.offer(w.Header(), &st)
}

func (b *Binder) offer(h http.Header, st *sojourn.Status) error {
	value, err := offer(b.registerPath(), stamp(b.opt.Key, forOffer, st.Now, []byte(st.ID)))
	if err != nil {
		return fmt.Errorf("dbsc: offer: %w", err)
	}
	h.Set(headerRegistration, value)
	return nil
}

// accepts reports whether a challenge is of an offer to this session, and fresh.
func (b *Binder) accepts(st *sojourn.Status, challenge string) bool {
	at, ok := openStamp(b.opt.Key, forOffer, challenge, []byte(st.ID))
	return ok && within(at, st.Now, offerFor)
}
