package postgres

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sojournhq/sojourn"
)

// What a message begins with. Hexadecimal digits follow, since names are bytes
// and messages are text.
const (
	ofSession = "s"
	ofOwner   = "o"
	ofProbe   = "p" // a listener tests whether it hears
)

func message(kind, name string) string { return kind + hex.EncodeToString([]byte(name)) }

const (
	hearWithin = 5 * time.Second // a listener's own probe
	askEvery   = 2 * time.Second // whether a silent server is still there
	askWithin  = 2 * time.Second
)

// Watch tells of sessions that anybody ends, for caches: it listens until ctx
// ends, the store is closed or its connection is lost, and returns why. Then
// listen again. It calls changed
//
//	(id, "")     when a session was revoked, or ended by an update
//	("", owner)  when an owner's sessions were ended all at once
//	("", "")     once it listens
//
// one call at a time, never after it has returned. Only processes that have set
// [Options.Notify] are heard, and ErrUnsupported is returned if this one has not.
// Other writes, and what a sweep removes, are not reported.
//
// It holds a connection of its own, beside [Options.Conns], and asks on it every
// two seconds whether the server is still there. A connection without a sign of
// life is given up after some four seconds.
func (s *Store) Watch(ctx context.Context, changed func(id sojourn.ID, owner string)) error {
	if !s.notify {
		return fmt.Errorf("postgres: watch: Options.Notify is not set: %w", sojourn.ErrUnsupported)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.life, cancel)()
	return s.wrap("watch", s.watch(ctx, changed))
}

func (s *Store) watch(ctx context.Context, changed func(id sojourn.ID, owner string)) error {
	conn, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig)
	if err != nil {
		return unwrapConnect(err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askWithin/4)
		defer cancel()
		conn.Close(ctx)
	}()
	if err := s.listen(ctx, conn); err != nil {
		return err
	}
	changed("", "")
	for {
		heard, err := hear(ctx, conn, askEvery)
		switch {
		case err == nil:
			report(heard, changed)
		case ctx.Err() != nil:
			return ctx.Err()
		case conn.IsClosed() || !errors.Is(err, context.DeadlineExceeded):
			return err
		default:
			if err := ask(ctx, conn); err != nil {
				return err
			}
		}
	}
}

// listen returns when notifications arrive, which it tries: between may be a
// pooler that gives each statement another connection, and says nothing.
func (s *Store) listen(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, hearWithin)
	defer cancel()
	if _, err := conn.Exec(ctx, sqlListen); err != nil {
		return err
	}
	probe := message(ofProbe, fmt.Sprintf("%016x", rand.Uint64()))
	if _, err := s.pool.Exec(ctx, sqlNotify, probe); err != nil {
		return err
	}
	for {
		heard, err := hear(ctx, conn, hearWithin)
		switch {
		case err != nil && !conn.IsClosed() && errors.Is(ctx.Err(), context.DeadlineExceeded):
			return fmt.Errorf("%w: a notification did not arrive within %s: connect to the server itself, not to a pooler that pools by transaction", sojourn.ErrUnavailable, hearWithin)
		case err != nil:
			return err
		case heard == probe:
			return nil
		}
	}
}

// hear waits for a message.
func hear(ctx context.Context, conn *pgx.Conn, within time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	n, err := conn.WaitForNotification(ctx)
	if err != nil {
		return "", err
	}
	return n.Payload, nil
}

// ask makes sure that the server still answers.
func ask(ctx context.Context, conn *pgx.Conn) error {
	within, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	err := conn.Ping(within)
	if err != nil && ctx.Err() == nil && within.Err() != nil {
		return fmt.Errorf("%w: the server did not answer within %s", sojourn.ErrUnavailable, askWithin)
	}
	return err
}

// report passes a message on. What others than this package say is ignored.
func report(heard string, changed func(id sojourn.ID, owner string)) {
	if heard == "" {
		return
	}
	name, err := hex.DecodeString(heard[1:])
	if err != nil || len(name) == 0 {
		return
	}
	switch heard[:1] {
	case ofSession:
		changed(sojourn.ID(name), "")
	case ofOwner:
		changed("", string(name))
	}
}
