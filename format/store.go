package format

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/foreign"
)

// Options shape a Store. The zero value is ready for use.
type Options struct {
	// ReadMostly refuses to change members of the other system's records, since it
	// may write back what it has read before. Login, logout and extending still
	// work, and so do members named by Own. Default false.
	ReadMostly bool
	// Own names members that are kept beside the other system's record and that it
	// never sees: "go_cart", or "go_*" for all that begin so. They imply Beside.
	// Default none.
	Own []string
	// Beside keeps a record of ours beside each of theirs: for the list of a user's
	// devices, ending all of them, the absolute deadline, labels. It costs a second
	// round trip for each load. A session counts from when it was first seen here.
	// Default false.
	Beside bool
	// MaxRecord bounds a record, in bytes: a longer one is sojourn.ErrCorrupt.
	// Default 1 MiB.
	MaxRecord int
	// Logger receives what an operator should see. Default: silence.
	Logger *slog.Logger
	// Clock tells the time. Set it where the manager has a clock of its own.
	// Default time.Now.
	Clock func() time.Time
}

// A Store keeps sessions in the form of another system. One manager per store.
type Store struct {
	f    Format
	d    Description
	keep Keeper
	side sojourn.Store
	opt  Options
}

var (
	_ sojourn.Store   = (*Store)(nil)
	_ sojourn.Pinger  = (*Store)(nil)
	_ sojourn.Sweeper = (*Store)(nil)
	_ foreign.Carrier = (*Store)(nil)
)

// New joins a format with the keeper of its records and with side, which remembers
// what has ended: memstore.New(nil) for a single process. Formats have a New of
// their own, which is more convenient. A format whose cookie is the record takes no
// keeper: nil.
func New(f Format, keeper Keeper, side sojourn.Store, opt *Options) (*Store, error) {
	s := &Store{f: f, keep: keeper, side: side}
	if opt != nil {
		s.opt = *opt
	}
	if err := s.settle(); err != nil {
		return nil, fmt.Errorf("format: new: %w", err)
	}
	return s, nil
}

func (s *Store) settle() error {
	if s.f == nil {
		return fmt.Errorf("%w: the format is nil", sojourn.ErrInvalid)
	}
	s.d = s.f.Describe()
	switch {
	case s.d.InCookie && s.keep == nil:
		s.keep = jar{s}
	case s.d.InCookie:
		return fmt.Errorf("%w: %s keeps its records in cookies, so the keeper should be nil", sojourn.ErrInvalid, s.d.System)
	case s.keep == nil:
		return fmt.Errorf("%w: the keeper is nil; it holds the records of %s", sojourn.ErrInvalid, s.d.System)
	}
	if s.side == nil {
		return fmt.Errorf("%w: side is nil; without it a slow request of %s could bring back what has ended", sojourn.ErrInvalid, s.d.System)
	}
	for _, name := range s.opt.Own {
		if name == "" || strings.Contains(strings.TrimSuffix(name, "*"), "*") {
			return fmt.Errorf("%w: Options.Own has %q, expected names as in go_cart or go_*", sojourn.ErrInvalid, name)
		}
	}
	s.opt.Own = append([]string(nil), s.opt.Own...)
	s.opt.Beside = s.opt.Beside || len(s.opt.Own) > 0
	if s.opt.Beside && s.d.InCookie {
		return fmt.Errorf("%w: a cookie of %s changes its name with every write, so nothing can be kept beside it", sojourn.ErrUnsupported, s.d.System)
	}
	if s.opt.MaxRecord == 0 {
		s.opt.MaxRecord = 1 << 20
	}
	if s.opt.MaxRecord < 64 {
		return fmt.Errorf("%w: Options.MaxRecord is %d, expected at least 64", sojourn.ErrInvalid, s.opt.MaxRecord)
	}
	if s.opt.Logger == nil {
		s.opt.Logger = slog.New(slog.DiscardHandler)
	}
	if s.opt.Clock == nil {
		s.opt.Clock = time.Now
	}
	if s.d.Warning != "" && !s.opt.ReadMostly {
		s.opt.Logger.Warn("sessions are shared with a system that overwrites them; see Options.ReadMostly and Options.Own",
			"system", s.d.System, "warning", s.d.Warning)
	}
	return nil
}

// Format is what the store was made with.
func (s *Store) Format() Format { return s.f }

// Ping asks the keeper and the store beside it, where they can be asked.
func (s *Store) Ping(ctx context.Context) error {
	var errs []error
	if p, ok := s.keep.(Pinger); ok {
		errs = append(errs, p.Ping(ctx))
	}
	if p, ok := sojourn.As[sojourn.Pinger](s.side); ok {
		errs = append(errs, p.Ping(ctx))
	}
	return wrap("ping", errors.Join(append(errs, ctx.Err())...))
}

// Sweep removes what has served its time from the store beside the records, where
// that does not do so by itself. The records are the other system's to sweep.
func (s *Store) Sweep(ctx context.Context, before time.Time, limit int) ([]sojourn.Record, error) {
	sweeper, ok := sojourn.As[sojourn.Sweeper](s.side)
	if !ok {
		return nil, wrap("sweep", ctx.Err())
	}
	gone, err := sweeper.Sweep(ctx, before, limit)
	for i := range gone {
		gone[i].Dead = true // no session ends by it
	}
	return gone, wrap("sweep", err)
}

// own reports whether a member is kept beside the record.
func (s *Store) own(key string) bool {
	for _, name := range s.opt.Own {
		if prefix, all := strings.CutSuffix(name, "*"); key == name || all && strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}

func wrap(verb string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("format: %s: %w", verb, err)
}
