package cookiestore

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/sojournhq/sojourn"
)

// Options shape a Store. The zero value is ready for use.
type Options struct {
	// Cookie shapes the record's cookie. Give it the Domain, Path, SameSite and so
	// on of the manager's cookie, but not its name. Default: as the manager's, with
	// "-data" behind the name: __Host-sojourn-data.
	Cookie sojourn.Cookie
	// MaxAge bounds the time between two answers that renew a record's cookie, and
	// so how long the marks of ended sessions are kept. It must not be below the
	// longest idle timeout of the manager's policies: a session of a longer one
	// fails with sojourn.ErrInvalid. Default 15 days, for the default policies.
	MaxAge time.Duration
	// Logger receives what an operator should see: cookies sealed with an unknown
	// key, requests that did not come through Handler. Default: silence.
	Logger *slog.Logger
	// Clock tells the time. Set it where the manager has a clock of its own.
	// Default time.Now.
	Clock func() time.Time
}

// A Store keeps sessions in their browsers' cookies. It is made by New and safe
// for parallel use.
type Store struct {
	opt    Options
	keys   keyring
	marks  sojourn.Store
	proto  http.Cookie // the record's, without its value
	logged struct{ key, handler sync.Once }
}

var (
	_ sojourn.Store   = (*Store)(nil)
	_ sojourn.Sweeper = (*Store)(nil)
	_ sojourn.Pinger  = (*Store)(nil)
)

const maxAge = 15 * 24 * time.Hour

// New makes a store that seals with keys[0], and opens what any of keys has
// sealed: each at least 32 random bytes. To replace a key, first add the new one
// behind the old one on every server, then put it in front, and remove the old one
// once MaxAge has passed. A key should be replaced before it has sealed 2^32
// records.
//
// revocations remembers what has ended; see the package documentation for what it
// must be. It stays the caller's to close. nil options stand for the defaults.
func New(keys [][]byte, revocations sojourn.Store, opt *Options) (*Store, error) {
	s := &Store{marks: revocations}
	if opt != nil {
		s.opt = *opt
	}
	if err := s.settle(keys); err != nil {
		return nil, fmt.Errorf("cookiestore: new: %w", err)
	}
	return s, nil
}

func (s *Store) settle(keys [][]byte) (err error) {
	if s.marks == nil {
		return fmt.Errorf("%w: revocations is nil, and without it nothing could be revoked", sojourn.ErrInvalid)
	}
	if s.keys, err = newKeyring(keys); err != nil {
		return err
	}
	o := &s.opt
	if o.MaxAge == 0 {
		o.MaxAge = maxAge
	}
	if o.MaxAge < time.Minute || o.MaxAge > 400*24*time.Hour { // RFC 6265bis §5.5: browsers keep no cookie longer
		return fmt.Errorf("%w: Options.MaxAge is %v, expected 1m to 9600h", sojourn.ErrInvalid, o.MaxAge)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s.proto, err = s.settleCookie()
	return err
}

// Carried tells the core that what a request stores leaves with its own answer.
func (s *Store) Carried() {}

// Ping asks the store of revocations, where it can be asked.
func (s *Store) Ping(ctx context.Context) error {
	if p, ok := sojourn.As[sojourn.Pinger](s.marks); ok {
		return wrap("ping", p.Ping(ctx))
	}
	return wrap("ping", ctx.Err())
}

// Sweep removes marks that have served their time, where the store of revocations
// does not do so by itself. It returns them as dead: no session ends by it.
func (s *Store) Sweep(ctx context.Context, before time.Time, limit int) ([]sojourn.Record, error) {
	sweeper, ok := sojourn.As[sojourn.Sweeper](s.marks)
	if !ok {
		return nil, wrap("sweep", ctx.Err())
	}
	gone, err := sweeper.Sweep(ctx, before, limit)
	for i := range gone {
		gone[i].Dead = true
	}
	return gone, wrap("sweep", err)
}

func wrap(verb string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("cookiestore: %s: %w", verb, err)
}
