package sojourn_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn"
)

// A text is accepted as a token only in the one spelling that Reveal gives.
func FuzzToken(f *testing.F) {
	_, token, err := benchManager(f).Create(f.Context(), "ada")
	if err != nil {
		f.Fatal(err)
	}
	text := token.Reveal()
	for _, seed := range []string{
		text, "", text[:55], text + "A", text + "=", " " + text, text[:54] + "\n\n", strings.Repeat("A", 56), strings.Repeat("_", 56),
		strings.Repeat("-", 56), strings.Repeat("+", 56), strings.Repeat("\xff", 56), strings.Repeat("\x00", 56), strings.Repeat("é", 28),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		token, err := sojourn.ParseToken(text)
		if err != nil {
			if !errors.Is(err, sojourn.ErrInvalid) || text != "" && strings.Contains(err.Error(), text) && len(text) > 8 {
				t.Errorf("error %v", err)
			}
			if token.ID() != "" || token.Reveal() != "" {
				t.Errorf("a refused text left %v", token)
			}
			return
		}
		if got := token.Reveal(); got != text {
			t.Errorf("%q is revealed as %q", text, got)
		}
		if err := token.ID().Validate(); err != nil {
			t.Errorf("ID %q: %v", token.ID(), err)
		}
	})
}

// loads counts what reaches the store, and holds no session.
type loads struct {
	*mapStore
	n int
}

func (l *loads) Load(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
	l.n++
	return l.mapStore.Load(ctx, id)
}

// Whatever a Cookie header holds: no panic, at most one session asked for, none
// begun, and no answer that echoes it.
func FuzzCookie(f *testing.F) {
	live := newMapStore()
	m, err := sojourn.New(live, nil)
	if err != nil {
		f.Fatal(err)
	}
	_, token, err := m.Create(f.Context(), "ada")
	if err != nil {
		f.Fatal(err)
	}
	mine := "__Host-sojourn=" + token.Reveal()
	for _, seed := range [][2]string{
		{mine, ""}, {"a=b; " + mine, "c=d"}, {mine, mine}, {mine + "; " + mine, ""}, {"__Host-sojournX=1;" + mine, ";;;"},
		{`__Host-sojourn="` + token.Reveal() + `"`, ""}, {"__host-sojourn=x", mine}, {"__Host-sojourn=", "="}, {"__Host-sojourn", "\t;\t="},
		{mine[:40], mine[40:]}, {mine + "\x00", "\xff"}, {"=" + mine, `"; ` + mine}, {strings.Repeat("a=b; ", 3000), mine},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		store := &loads{mapStore: live}
		m, err := sojourn.New(store, nil)
		if err != nil {
			t.Fatal(err)
		}
		h := m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for range 2 {
				if _, err := session(r.Context()).Exists(r.Context()); err != nil {
					t.Error(err)
				}
			}
		}))
		before := len(live.recs)
		a := exchange(h, "GET", "/", cookies(first, second))
		if a.code != 200 && a.code != 431 {
			t.Errorf("%d %q", a.code, a.body)
		}
		if store.n > 1 || len(live.recs) != before {
			t.Errorf("%d loads, %d records", store.n, len(live.recs)-before)
		}
		if n := strings.Count(first, "__Host-sojourn=") + strings.Count(second, "__Host-sojourn="); n == 0 && store.n != 0 {
			t.Error("a session was asked for that nobody named")
		}
		if got := a.header.Get("Set-Cookie"); got != "" {
			t.Errorf("Set-Cookie: %q", got)
		}
	})
}

// Whatever JSON a member holds, keys read it as encoding/json does, and say
// ErrType where it does not fit.
func FuzzMembers(f *testing.F) {
	for _, seed := range []string{
		`null`, `true`, `false`, `0`, `-0`, `1`, `-9223372036854775808`, `9223372036854775808`, `1.0`, `1e3`, `1e999`, `""`, `"text"`, `"\u0000\ud800\\"`, `"é"`,
		`[]`, `[1,"2",null]`, `{}`, `{"n":1,"s":"x","N":2}`, `{"a":{"b":{"c":[{}]}}}`, ` 5`, "\n\"x\"\t", `01`, `+1`, `"`, `"\xff"`, "\"\xff\"", `tru`, `{"n":`, ``,
		strings.Repeat("[", 5000) + strings.Repeat("]", 5000), `"<&>\u2028"`, `{"n":1e400}`, `1_000`,
	} {
		f.Add([]byte(seed))
	}
	m := benchManager(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) > 16<<10 {
			return
		}
		s, _, err := m.Create(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		ctx := sojourn.NewContext(t.Context(), s)
		if raw == nil {
			raw = []byte{}
		}
		_, err = s.Patch(ctx, map[string]json.RawMessage{"m": raw}, nil)
		if json.Valid(raw) != (err == nil) || err != nil && !errors.Is(err, sojourn.ErrInvalid) {
			t.Fatalf("Patch(%q): %v", raw, err)
		}
		if err != nil {
			return
		}
		agree[string](t, ctx, raw)
		agree[int](t, ctx, raw)
		agree[int64](t, ctx, raw)
		agree[int8](t, ctx, raw)
		agree[bool](t, ctx, raw)
		agree[float64](t, ctx, raw)
		agree[any](t, ctx, raw)
		agree[[]any](t, ctx, raw)
		agree[map[string]any](t, ctx, raw)
		agree[struct {
			N int    `json:"n"`
			S string `json:"s"`
		}](t, ctx, raw)

		var want struct {
			M any `json:"m"`
		}
		wrong := json.Unmarshal(append(append([]byte(`{"m":`), raw...), '}'), &want)
		got, err := sojourn.Fields[struct {
			M any `json:"m"`
		}]{}.Load(ctx)
		if (err == nil) != (wrong == nil) || err == nil && !reflect.DeepEqual(got.M, want.M) {
			t.Errorf("Fields of %q: %#v %v, expected %#v %v", raw, got.M, err, want.M, wrong)
		}
		number, err := sojourn.Counter("m").Get(ctx)
		var n int64
		if trimmed := bytes.TrimSpace(raw); bytes.Equal(trimmed, raw) && string(raw) != "null" {
			if wrong := json.Unmarshal(raw, &n); (err == nil) != (wrong == nil) || err == nil && number != n {
				t.Errorf("Counter of %q: %d %v, expected %d %v", raw, number, err, n, wrong)
			}
		}
	})
}

func agree[T any](t *testing.T, ctx context.Context, raw []byte) {
	t.Helper()
	var want T
	wrong := json.Unmarshal(raw, &want)
	if k := reflect.TypeFor[T]().Kind(); string(bytes.TrimSpace(raw)) == "null" && k != reflect.Slice && k != reflect.Map && k != reflect.Interface {
		wrong = errors.New("a silent zero")
	}
	got, ok, err := sojourn.Key[T]("m").Lookup(ctx)
	if !ok || (err == nil) != (wrong == nil) || err == nil && !reflect.DeepEqual(got, want) {
		t.Errorf("Key[%T] of %q: %#v %v %v, expected %#v %v", want, raw, got, ok, err, want, wrong)
	}
	if err != nil && !errors.Is(err, sojourn.ErrType) {
		t.Errorf("Key[%T] of %q: %v, expected ErrType", want, raw, err)
	}
}

// A page may write a number with space around it: it is the same number.
func TestPatchWithSpaces(t *testing.T) {
	s, _, err := benchManager(t).Create(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	ctx := sojourn.NewContext(t.Context(), s)
	if _, err := s.Patch(ctx, map[string]json.RawMessage{"n": json.RawMessage("\n 5 "), "s": json.RawMessage(` "x"`)}, nil); err != nil {
		t.Fatal(err)
	}
	if n, err := sojourn.Counter("n").Add(ctx, 1); n != 6 || err != nil {
		t.Errorf("Counter: %d %v, expected 6", n, err)
	}
	if _, err := sojourn.Key[int]("s").Get(ctx); err == nil || !strings.Contains(err.Error(), "is a string") {
		t.Errorf("%v, expected to hear of a string", err)
	}
}
