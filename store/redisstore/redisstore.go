package redisstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/redisurl"
)

// A Store keeps sessions in Redis or Valkey. It is made by [Open] and safe for
// parallel use.
type Store struct {
	opt      Options
	topology redisurl.Topology
	client   rueidis.Client
	dialer   *dialer
	guard    *guard
	journal  *journal

	replicated atomic.Bool // every primary had a replica when last asked
	primaries  map[string]bool
	serving    atomic.Pointer[map[string]string] // them, by address; nil if INFO is not permitted
	life       context.Context                   // until Close
	stop       context.CancelFunc
	following  sync.WaitGroup
	walks      walks
}

var (
	_ sojourn.Store  = (*Store)(nil)
	_ sojourn.Pinger = (*Store)(nil)
	_ io.Closer      = (*Store)(nil)
)

var (
	errAbsent = fmt.Errorf("redisstore: load: %w", sojourn.ErrNotFound)
	errGone   = fmt.Errorf("redisstore: update: %w", sojourn.ErrNotFound)
	errStale  = fmt.Errorf("redisstore: update: %w", sojourn.ErrConflict)
	errExists = fmt.Errorf("redisstore: create: %w", sojourn.ErrExists)
)

// Load implements [sojourn.Store]: one round trip, two for an away record.
func (s *Store) Load(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
	if storable(id, "") != nil {
		return sojourn.Record{}, errAbsent
	}
	pair, err := s.fetch(ctx, id)
	if err != nil {
		return sojourn.Record{}, wrap("load", err)
	}
	r, err := s.read(ctx, id, pair)
	switch {
	case errors.Is(err, sojourn.ErrNotFound):
		return r, errAbsent
	case err != nil:
		return sojourn.Record{}, wrap("load", err)
	}
	return r, nil
}

// Create implements [sojourn.Store]: one round trip, two for an away record.
func (s *Store) Create(ctx context.Context, r *sojourn.Record) error {
	if err := s.checked(r); err != nil {
		return wrap("create", err)
	}
	p := s.place(r.ID, r.Owner)
	next := *r
	next.Version, next.Dead, next.Generation = newVersion(), false, 0
	if p.away {
		generation, err := s.home(ctx, &p, r.Owner, r.Expires, true)
		if err != nil {
			return wrap("create", err)
		}
		next.Generation = generation
	}
	n, err := s.do(ctx, run(scriptCreate, p.keys(),
		encode(&next, next.Version, p.away), ms(r.Expires), s.last(r.Expires), p.member, r.Owner, s.linger())).AsInt64()
	switch {
	case err != nil:
		return wrap("create", err)
	case n < 0:
		return errExists
	case !p.away:
		next.Generation = uint64(n)
	}
	r.Version, r.Dead, r.Generation, r.OwnerGeneration = next.Version, false, next.Generation, next.Generation
	return nil
}

// Update implements [sojourn.Store]: one round trip, up to two for an away
// record. An r.Owner other than the stored one is refused with ErrInvalid.
func (s *Store) Update(ctx context.Context, r *sojourn.Record) (current sojourn.Record, err error) {
	if err := s.fits(r); err != nil {
		return current, wrap("update", err)
	}
	if tombstone, ended := s.journal.tombstone(r.ID); ended {
		return tombstone, errGone
	}
	p := s.place(r.ID, r.Owner)
	deadline, last := "", ""
	if !r.Expires.IsZero() {
		deadline, last = ms(r.Expires), s.last(r.Expires)
		if r.Dead {
			last = ms(r.Expires)
		}
	}
	if p.away && deadline != "" && !r.Dead {
		if _, err := s.home(ctx, &p, r.Owner, r.Expires, false); err != nil {
			return current, wrap("update", err)
		}
	}
	next := *r
	next.Version = newVersion()
	swap := run(scriptUpdate, p.keys(), head(false, p.away, r.Version), encode(&next, next.Version, p.away),
		string([]byte{byte(len(r.Owner))})+r.Owner, deadline, last, p.member)
	swap.ending = r.Dead
	message, err := s.do(ctx, swap).ToMessage()
	if err != nil {
		return current, wrap("update", err)
	}
	if message.IsInt64() {
		r.Version = next.Version
		if r.Dead {
			s.journal.end(next, true)
			s.unindex(ctx, &p)
		}
		return current, nil
	}
	pair, err := message.ToArray()
	if err == nil {
		if p.index == "" || p.away { // it got no generation to read
			pair[1] = rueidis.RedisMessage{}
		}
		current, err = s.read(ctx, r.ID, pair)
	}
	switch {
	case errors.Is(err, sojourn.ErrNotFound):
		return current, errGone
	case err != nil:
		return sojourn.Record{}, wrap("update", err)
	case current.Version == r.Version:
		return sojourn.Record{}, wrap("update", invalid("the owner of a record never changes"))
	}
	return current, errStale
}

// Touch implements [sojourn.Store]: one round trip, two for an away record.
func (s *Store) Touch(ctx context.Context, r *sojourn.Record, expires time.Time) error {
	if storable(r.ID, r.Owner) != nil {
		return nil
	}
	p := s.place(r.ID, r.Owner)
	if p.away {
		if _, err := s.home(ctx, &p, r.Owner, expires, false); err != nil {
			return wrap("touch", err)
		}
	}
	var deadline [8]byte
	binary.BigEndian.PutUint64(deadline[:], uint64(millis(expires)))
	return wrap("touch", s.do(ctx, run(scriptTouch, p.keys(),
		string(deadline[:]), ms(expires), s.last(expires), p.member)).Error())
}

// Ping implements [sojourn.Pinger].
func (s *Store) Ping(ctx context.Context) error {
	return wrap("ping", s.do(ctx, call{name: "PING", again: true}).Error())
}

// Close ends the connections. Operations under way and later ones fail.
func (s *Store) Close() error {
	s.stop()
	s.dialer.close()
	s.client.Close()
	s.following.Wait()
	s.guard.close()
	return nil
}

func (s *Store) fits(r *sojourn.Record) error {
	if err := storable(r.ID, r.Owner); err != nil {
		return err
	}
	if len(r.Payload) > s.opt.MaxRecord {
		return fmt.Errorf("%w: record of %d bytes: expected at most %d, see Options.MaxRecord", sojourn.ErrTooLarge, len(r.Payload), s.opt.MaxRecord)
	}
	return nil
}

func (s *Store) checked(r *sojourn.Record) error {
	if r.Expires.IsZero() {
		return invalid("a record without a deadline")
	}
	return s.fits(r)
}

func ms(t time.Time) string { return strconv.FormatInt(max(1, t.UnixMilli()), 10) }

// last is when the server drops a record with that deadline.
func (s *Store) last(expires time.Time) string { return ms(expires.Add(s.opt.Linger)) }

func (s *Store) linger() string { return strconv.FormatInt(s.opt.Linger.Milliseconds(), 10) }
