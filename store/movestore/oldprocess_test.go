package movestore_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/memstore"
	"github.com/sojournhq/sojourn/store/movestore"
)

const visits = sojourn.Counter("visits")

// TestBesideOldProcesses has a process that knows only the old store meet a
// session that has been carried: it changes nothing, takes no cookie away, and can
// still end it.
func TestBesideOldProcesses(t *testing.T) {
	ctx := t.Context()
	from, to := memstore.New(nil), memstore.New(nil)
	old, err := sojourn.New(from, nil)
	if err != nil {
		t.Fatal(err)
	}
	moving, err := sojourn.New(movestore.New(from, to, nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	s, token, err := old.Create(ctx, "ada")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := visits.Add(sojourn.NewContext(ctx, s), 1); err != nil {
		t.Fatal(err)
	}
	if err := s.Save(ctx); err != nil {
		t.Fatal(err)
	}
	visit := func(m *sojourn.Manager) *http.Response {
		req := httptest.NewRequest("GET", "https://example.com/", nil)
		req.AddCookie(&http.Cookie{Name: m.Options().Cookie.Name, Value: token.Reveal()})
		w := httptest.NewRecorder()
		m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, err := visits.Add(r.Context(), 1); err != nil {
				m.Error(w, r, err)
			}
		})).ServeHTTP(w, req)
		return w.Result()
	}

	if answer := visit(old); answer.StatusCode != 200 {
		t.Fatalf("before: %d", answer.StatusCode)
	}
	if answer := visit(moving); answer.StatusCode != 200 {
		t.Fatalf("a process that moves: %d", answer.StatusCode)
	}
	if answer := visit(old); answer.StatusCode != http.StatusUnauthorized || len(answer.Cookies()) != 0 {
		t.Errorf("an old process: %d and cookies %v, want 401 and none", answer.StatusCode, answer.Cookies())
	}
	if n, err := count(t, moving, token.ID()); n != 3 || err != nil {
		t.Errorf("visits: %d %v, want 3", n, err)
	}
	if err := old.Revoke(ctx, token.ID(), sojourn.ReasonRevoked); err != nil {
		t.Fatal(err)
	}
	if _, err := moving.Open(ctx, token.ID()); !errors.Is(err, sojourn.ErrNotFound) {
		t.Errorf("revoked by an old process: %v, want ErrNotFound", err)
	}
	if _, err := to.Load(ctx, token.ID()); !errors.Is(err, sojourn.ErrNotFound) {
		t.Errorf("in the new store: %v, want ErrNotFound", err)
	}
}

func count(t *testing.T, m *sojourn.Manager, id sojourn.ID) (int64, error) {
	s, err := m.Open(t.Context(), id)
	if err != nil {
		return 0, err
	}
	return visits.Get(sojourn.NewContext(t.Context(), s))
}

// TestSweepTellsOfSessionsOnly: markers go without an event, sessions that expired
// in the old store with one.
func TestSweepTellsOfSessionsOnly(t *testing.T) {
	c := newScene(t)
	waiting := sojourn.Record{ID: newID("grace"), Owner: "grace", Expires: c.r.Expires, Payload: []byte("\x01")}
	c.must(c.from.Create(t.Context(), &waiting))
	c.must(second(c.move.Load(t.Context(), c.r.ID)))
	sweeper, ok := sojourn.As[sojourn.Sweeper](c.move)
	if !ok {
		t.Fatal("no sweeper")
	}
	told := map[sojourn.ID]int{}
	swept, err := sweeper.Sweep(t.Context(), c.r.Expires.Add(time.Millisecond), 100)
	for _, r := range swept {
		told[r.ID]++
	}
	if err != nil || len(swept) != 2 || told[c.r.ID] != 1 || told[waiting.ID] != 1 {
		t.Errorf("swept %+v, %v; want both sessions once", swept, err)
	}
	if r, err := c.from.Load(t.Context(), c.r.ID); r.ID != "" || !errors.Is(err, sojourn.ErrNotFound) {
		t.Errorf("the marker stays: %+v %v", r, err)
	}
}

// TestListIsWhole: sessions of both stores, each once.
func TestListIsWhole(t *testing.T) {
	c := newScene(t)
	other := sojourn.Record{ID: newID(owner), Owner: owner, Expires: c.r.Expires, Payload: []byte("\x01")}
	c.must(c.from.Create(t.Context(), &other))
	c.must(second(c.move.Load(t.Context(), c.r.ID)))
	fresh := sojourn.Record{ID: newID(owner), Owner: owner, Expires: c.r.Expires, Payload: []byte("\x01")}
	c.must(c.move.Create(t.Context(), &fresh))
	ids, err := c.move.List(t.Context(), owner)
	seen := map[sojourn.ID]int{}
	for _, id := range ids {
		seen[id]++
	}
	if err != nil || len(ids) != 3 || seen[c.r.ID] != 1 || seen[other.ID] != 1 || seen[fresh.ID] != 1 {
		t.Errorf("List: %v %v", ids, err)
	}
}

// TestCreateAgainstTheOldStore: an ID of the old store, live or ended, is taken.
func TestCreateAgainstTheOldStore(t *testing.T) {
	c := newScene(t)
	again := c.r
	if err := c.move.Create(t.Context(), &again); !errors.Is(err, sojourn.ErrExists) {
		t.Errorf("over a live session: %v, want ErrExists", err)
	}
	c.must(c.from.Revoke(t.Context(), c.revocation()))
	if err := c.move.Create(t.Context(), &again); !errors.Is(err, sojourn.ErrExists) {
		t.Errorf("over a tombstone: %v, want ErrExists", err)
	}
}
