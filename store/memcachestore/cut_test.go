package memcachestore_test

import (
	"testing"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/testenv"
)

// P3: the connection is cut in place of an answer. The commit, repeated, is
// stored once; so is a login, a revocation and a deadline.
func TestAnswerCut(t *testing.T) {
	ctx := t.Context()
	proxy := testenv.StartProxy(t, testenv.StartMemcached(t).Addr)
	store := open(t, "memcached://"+proxy.Addr, nil)
	m, err := sojourn.New(store, nil)
	if err != nil {
		t.Fatal(err)
	}
	const hits = sojourn.Counter("hits")
	cut := func(what string, f func() error) {
		t.Helper()
		done := proxy.CutAnswer()
		if err := f(); err != nil {
			t.Fatalf("%s, whose answer was cut: %v", what, err)
		}
		<-done
	}
	var s *sojourn.Session
	cut("Create", func() (err error) { s, _, err = m.Create(ctx, "ada"); return err })
	id, err := s.ID(ctx)
	if err != nil {
		t.Fatal(err)
	}
	in := sojourn.NewContext(ctx, s)
	for range 20 {
		if _, err := hits.Add(in, 1); err != nil {
			t.Fatal(err)
		}
		cut("Save", func() error { return s.Save(ctx) })
	}
	cut("Open", func() (err error) { s, err = m.Open(ctx, id); return err })
	if n, err := hits.Get(sojourn.NewContext(ctx, s)); err != nil || n != 20 {
		t.Errorf("20 commits whose answer was cut left a counter of %d, error %v", n, err)
	}
	cut("Extend", func() error { return s.Extend(ctx) })
	cut("RevokeOwner", func() error { return m.RevokeOwner(ctx, "ada") })
	cut("Revoke", func() error { return m.Revoke(ctx, id, sojourn.ReasonLogout) })
	if st, err := m.Inspect(ctx, id); err != nil || st.State != sojourn.StateEnded || st.Reason != sojourn.ReasonLogout {
		t.Errorf("at the end: %v, error %v", st, err)
	}
}
