package sojourn

import (
	"errors"
	"fmt"
	"strings"
)

// A token travels in our cookie or, where Options.Header names one, in a
// request header. This is the only place that reads either.

var errHeader = errors.New("the Cookie header")

// byHeader reports whether this client uses the header instead of the cookie.
func (sc *scope) byHeader() bool {
	return sc.m.opt.Header != "" && len(sc.req.Header[sc.m.opt.Header]) > 0
}

// present reads the request's token into s. A malformed one counts as none, and
// so do several: one of them was planted, and we cannot tell which.
func (sc *scope) present(s *Session) {
	if sc.m.foreign != nil {
		sc.presentForeign(s)
		return
	}
	var text string
	if sc.byHeader() {
		if len(sc.req.Header[sc.m.opt.Header]) > 1 {
			sc.m.emit(sc.Context, s.event(EventDuplicate))
			return
		}
		text = strings.TrimSpace(sc.req.Header[sc.m.opt.Header][0])
		if sc.m.opt.Header == "Authorization" {
			scheme, rest, _ := strings.Cut(text, " ")
			if !strings.EqualFold(scheme, "Bearer") {
				return
			}
			text = strings.TrimSpace(rest)
		}
	} else {
		value, n, _ := sc.m.opt.Cookie.find(sc.req.Header["Cookie"])
		s.carried = n > 0
		if n > 1 {
			sc.m.emit(sc.Context, s.event(EventDuplicate))
			return
		}
		text = value
	}
	if id, ok := splitToken(text, &sc.key); ok {
		s.id, s.presented, s.hasToken = id, &sc.key, true
	}
}

// oversize tells whether the cookies together exceed the limit: a sibling
// domain can plant more of them than a server should carry.
func (m *Manager) oversize(lines []string) error {
	size := 0
	for _, line := range lines {
		size += len(line)
	}
	if size > m.opt.MaxHeader {
		return fmt.Errorf("%w: %w has %d bytes, expected at most %d", ErrTooLarge, errHeader, size, m.opt.MaxHeader)
	}
	return nil
}
