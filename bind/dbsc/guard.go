package dbsc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/sojournhq/sojourn"
)

// admit is the guard: it decides about a request that uses a live session.
//
//	unbound            in, until UnboundFor after the login
//	pending            in; the first one with a bound cookie makes it bound
//	bound, proven      in
//	bound, unproven    in for the requests of the protocol, and within Overlap of
//	                   the moment it took hold; 503 if the browser says that it
//	                   could not refresh; else out
func (b *Binder) admit(r *http.Request, s *sojourn.Session) error {
	ctx := context.Background()
	if r != nil {
		ctx = r.Context()
	}
	raw, err := s.Binding(ctx)
	if err != nil {
		return err
	}
	st, err := s.Status(ctx)
	if err != nil {
		return err
	}
	if r != nil && b.owns(r) {
		return nil
	}
	if len(raw) == 0 {
		return b.unbound(&st)
	}
	k, err := decodeBinding(raw)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrUnproven, err)
	case r == nil && k.held != 0:
		return fmt.Errorf("%w: a token alone", ErrUnproven)
	case r == nil:
		return b.unbound(&st)
	}
	why := b.holds(r, st.ID, k, st.Now)
	switch {
	case why == "" && k.held == 0:
		b.takeHold(ctx, s, k, st.Now)
		return nil
	case why == "":
		return nil
	case k.held == 0:
		return b.unbound(&st)
	case st.Now.Sub(time.UnixMicro(k.held)) <= b.opt.Overlap:
		return nil
	}
	if reason := skipped(r.Header, k.name()); reason != "" {
		return fmt.Errorf("%w: %w: %s: the browser could not refresh: %s", sojourn.ErrUnavailable, ErrUnproven, why, reason)
	}
	return fmt.Errorf("%w: %s", ErrUnproven, why)
}

func (b *Binder) unbound(st *sojourn.Status) error {
	if b.opt.UnboundFor > 0 && st.Owner != "" && st.Now.Sub(st.AuthTime) > b.opt.UnboundFor {
		return ErrUnbound
	}
	return nil
}

// takeHold makes a pending binding one that is asked for. If that cannot be
// stored, the next request tries again.
func (b *Binder) takeHold(ctx context.Context, s *sojourn.Session, k *binding, now time.Time) {
	err := s.Bind(ctx, func(old []byte) ([]byte, error) {
		current, err := decodeBinding(old)
		if err != nil || current.id != k.id || current.held != 0 {
			return nil, errKept
		}
		current.held = now.UnixMicro()
		return current.encode(), nil
	})
	if err != nil && !errors.Is(err, errKept) {
		b.opt.Logger.LogAttrs(ctx, slog.LevelWarn, "a binding did not take hold yet", slog.Any("error", err))
	}
}

// owns recognises the requests of the protocol, which come without proof.
func (b *Binder) owns(r *http.Request) bool {
	return r.Method == http.MethodPost && (r.URL.Path == b.registerPath() || r.URL.Path == b.refreshPath())
}
