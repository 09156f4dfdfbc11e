package format_test

import (
	"context"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/format"
	"github.com/sojournhq/sojourn/format/expressformat"
	"github.com/sojournhq/sojourn/store/memstore"
)

// A busySide is a store beside in which something happens before an Update.
type busySide struct {
	sojourn.Store
	before func()
}

func (s *busySide) Update(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
	if f := s.before; f != nil {
		s.before = nil
		f()
	}
	return s.Store.Update(ctx, r)
}

// Two processes that change the record beside at once lose nothing of it, be it
// a label, a level or a binding.
func TestP2BesideAtOnce(t *testing.T) {
	ctx := t.Context()
	keep, side := newShelf(), &busySide{Store: memstore.New(nil)}
	keep.put("abc", record, time.Now().Add(time.Hour))
	store, err := expressformat.New(keep, side, &expressformat.Options{Secrets: []string{"secret"}, Store: &format.Options{Beside: true}})
	if err != nil {
		t.Fatal(err)
	}
	session := func() *sojourn.Session {
		m, err := sojourn.New(store, nil)
		if err != nil {
			t.Fatal(err)
		}
		s, err := m.Open(ctx, "abc")
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	bind := func(text string) func([]byte) ([]byte, error) {
		return func(old []byte) ([]byte, error) { return append(old, text...), nil }
	}
	for _, change := range []func(s *sojourn.Session) error{
		func(s *sojourn.Session) error { return s.Bind(ctx, bind("b")) },
		func(s *sojourn.Session) error {
			if err := s.SetLabel(ctx, "laptop"); err != nil {
				return err
			}
			return s.Save(ctx)
		},
	} {
		mine, other := session(), session()
		side.before = func() {
			if err := other.Bind(ctx, bind("a")); err != nil {
				t.Error(err)
			}
		}
		if err := change(mine); err != nil {
			t.Error(err)
		}
	}
	s := session()
	bound, err := s.Binding(ctx)
	if err != nil || string(bound) != "aba" {
		t.Errorf("bound to %q, %v, expected what all three made of it", bound, err)
	}
	if st, err := s.Status(ctx); err != nil || st.Label != "laptop" {
		t.Errorf("label %q, %v", st.Label, err)
	}
}
