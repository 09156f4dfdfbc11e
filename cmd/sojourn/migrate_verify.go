package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/sojournhq/sojourn"
)

// A carriedSession is one that this run has carried.
type carriedSession struct {
	old, now sojourn.Record // as it was scanned, and as it arrived
	at       time.Time
}

// A sampler keeps some of those it is offered, each with the same chance.
type sampler struct {
	size, offered int
	kept          []carriedSession
}

func (s *sampler) offer(old, now sojourn.Record) {
	one := carriedSession{old, now, time.Now()}
	s.offered++
	if len(s.kept) < s.size {
		s.kept = append(s.kept, one)
	} else if i := rand.IntN(s.offered); i < s.size {
		s.kept[i] = one
	}
}

// tombstonesLast is for how long after a session's end both stores surely know of
// it: a server's TombstoneFor, which is ten minutes, and some patience.
const tombstonesLast = 5 * time.Minute

// verify looks at the sample as a server does that knows only the new store.
func (m *migration) verify(ctx context.Context) error {
	alone, err := sojourn.New(m.to, nil)
	if err != nil {
		return err
	}
	defer alone.Close()
	m.show.begin("Checking", len(m.samples.kept))
	for _, one := range m.samples.kept {
		if err := ctx.Err(); err != nil {
			return err
		}
		if wrong := m.compare(ctx, alone, one); wrong != nil {
			m.report.Wrong++
			if m.report.Wrong <= failuresShown {
				m.report.problem("session %s: %v", one.old.ID, wrong)
			}
		}
		m.report.Checked++
		m.show.step()
	}
	if m.report.Wrong > 0 {
		m.report.problem("%d of %d sessions that were looked at again are not as they should be: keep the old store, and --store-from, and report this", m.report.Wrong, m.report.Checked)
	}
	return nil
}

// compare says what is wrong with a session that was carried, nil for nothing.
func (m *migration) compare(ctx context.Context, alone *sojourn.Manager, one carriedSession) error {
	now, err := m.to.Load(ctx, one.old.ID)
	switch {
	case errors.Is(err, sojourn.ErrNotFound) && now.Dead:
		return nil // it ended meanwhile
	case errors.Is(err, sojourn.ErrNotFound) && (time.Since(one.at) > tombstonesLast || one.now.Expires.Before(time.Now())):
		return nil // so long ago that nothing is left
	case errors.Is(err, sojourn.ErrNotFound):
		return errors.New("it is not in the new store")
	case err != nil:
		return err
	case now.Owner != one.old.Owner:
		return errors.New("it has another owner in the new store")
	case now.Version == one.now.Version && !bytes.Equal(now.Payload, one.now.Payload):
		return errors.New("its content is another in the new store")
	case now.Version == one.now.Version && now.Expires.Before(one.old.Expires):
		return errors.New("it expires earlier in the new store")
	}
	if _, err := alone.Inspect(ctx, one.old.ID); err != nil {
		return fmt.Errorf("it cannot be read in the new store: %w", err)
	}
	return nil
}
