package cookiestore

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/sojournhq/sojourn"
)

// maxCookie is what browsers keep of a cookie: RFC 6265bis §5.7 bounds its name
// and value together. The attributes do not count.
const maxCookie = 4096

// settleCookie has the manager's own rules checked by a manager.
func (s *Store) settleCookie() (http.Cookie, error) {
	m, err := sojourn.New(s, &sojourn.Options{Cookie: s.opt.Cookie})
	if err != nil {
		return http.Cookie{}, err
	}
	c := m.Options().Cookie
	if s.opt.Cookie.Name == "" {
		c.Name += "-data"
	}
	return http.Cookie{Name: c.Name, Path: c.Path, Domain: c.Domain, Secure: !c.Insecure, HttpOnly: true,
		SameSite: c.SameSite, Partitioned: c.Partitioned}, nil
}

// sealed is the value of the cookie for a record, if it fits.
func (s *Store) sealed(r *sojourn.Record) (string, error) {
	if life := r.Expires.Sub(s.opt.Clock()); life > s.opt.MaxAge+time.Second {
		err := fmt.Errorf("%w: the session expires in %v, Options.MaxAge is %v: raise it to the longest idle timeout of the manager's policies",
			sojourn.ErrInvalid, life.Round(time.Second), s.opt.MaxAge)
		s.opt.Logger.Error("a session cannot be stored in its cookie", "error", err)
		return "", err
	}
	value := s.keys.seal(s.proto.Name, r.ID, encode(r))
	if n := len(s.proto.Name) + len(value); n > maxCookie {
		return "", fmt.Errorf("%w: name and value of the record's cookie have %d bytes, of which browsers keep %d: store less in the session, or use a store on the server",
			sojourn.ErrTooLarge, n, maxCookie)
	}
	return value, nil
}

// set makes the Set-Cookie of a record. It lasts a little longer than the session,
// whose deadline is inside, so that its client can be told that it expired.
func (s *Store) set(r *sojourn.Record, value string) string {
	const linger = 10 * time.Minute
	c := s.proto
	c.Value = value
	c.MaxAge = int(max(1, (r.Expires.Sub(s.opt.Clock())+linger)/time.Second))
	return c.String()
}

// unset makes the Set-Cookie that deletes a record.
func (s *Store) unset() string {
	c := s.proto
	c.MaxAge = -1
	return c.String()
}

// shared is the part of an ID that its token shows, too: both are base64url of
// bytes that begin alike, and the ID's last character holds bits of its own.
func shared(id sojourn.ID) string {
	const idChars = 30
	if len(id) == idChars {
		return string(id[:idChars-1])
	}
	return string(id)
}

// shows reports whether header lines hold the token of an ID.
func shows(lines []string, id sojourn.ID) bool {
	for _, line := range lines {
		if strings.Contains(line, shared(id)) {
			return true
		}
	}
	return false
}
