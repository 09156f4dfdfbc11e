package sojourn_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn"
)

// work opens a stored session with two raw members and a context that carries it.
func work(t *testing.T, members map[string]string) (*site, *sojourn.Session, context.Context) {
	t.Helper()
	s := newSite(t, nil)
	_, token, err := s.m.Create(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	sess, err := s.m.Open(t.Context(), token.ID())
	if err != nil {
		t.Fatal(err)
	}
	raw := map[string]json.RawMessage{}
	for k, v := range members {
		raw[k] = json.RawMessage(v)
	}
	if _, err := sess.Patch(t.Context(), raw, nil); err != nil {
		t.Fatal(err)
	}
	return s, sess, sojourn.NewContext(t.Context(), sess)
}

func TestWrongTypeIsAnErrorNeverAZero(t *testing.T) {
	_, _, ctx := work(t, map[string]string{"s": `"secret text"`, "f": `1.5`, "o": `{"a":"secret text"}`, "n": `null`, "b": `true`})
	check := func(name string, v any, err error) {
		t.Helper()
		if !errors.Is(err, sojourn.ErrType) || strings.Contains(err.Error(), "secret text") || !strings.Contains(err.Error(), "expected") {
			t.Errorf("%s: %v, %v; expected ErrType without the value", name, v, err)
		}
	}
	i, err := sojourn.Key[int]("s").Get(ctx)
	check("int of a string", i, err)
	i, err = sojourn.Key[int]("f").Get(ctx)
	check("int of a fraction", i, err)
	i, err = sojourn.Key[int]("n").Get(ctx)
	check("int of null", i, err)
	st, err := sojourn.Key[string]("f").Get(ctx)
	check("string of a number", st, err)
	b, err := sojourn.Key[bool]("s").Get(ctx)
	check("bool of a string", b, err)
	o, err := sojourn.Key[struct{ A int }]("o").Get(ctx)
	check("struct field", o, err)
	n, err := sojourn.Counter("s").Get(ctx)
	check("counter of a string", n, err)
	n, err = sojourn.Counter("f").Add(ctx, 1)
	check("counter of a fraction", n, err)
	v, _, err := sojourn.Key[int]("s").Pop(ctx)
	check("pop", v, err)
	v, _, err = sojourn.Key[int]("s").Take(ctx)
	check("take", v, err)
	u, err := sojourn.Key[int]("s").Update(ctx, func(int) (int, error) { t.Error("ran"); return 1, nil })
	check("update", u, err)
	f, err := sojourn.Fields[struct {
		S int `json:"s"`
	}]{}.Load(ctx)
	check("fields", f, err)
	if got, err := sojourn.Key[string]("s").Get(ctx); err != nil || got != "secret text" {
		t.Errorf("after all these errors: %q, %v", got, err)
	}
}

func TestCounterBounds(t *testing.T) {
	_, _, ctx := work(t, nil)
	c := sojourn.Counter("c")
	for _, step := range []struct {
		add  int64
		want int64
		ok   bool
	}{{math.MaxInt64, math.MaxInt64, true}, {1, 0, false}, {-1, math.MaxInt64 - 1, true}, {0, math.MaxInt64 - 1, true}, {math.MinInt64, -2, true}, {math.MinInt64, 0, false}} {
		n, err := c.Add(ctx, step.add)
		if (err == nil) != step.ok || n != step.want {
			t.Errorf("add %d: %d, %v; expected %d, ok %t", step.add, n, err, step.want, step.ok)
		}
	}
}

func TestPopShowsOnceAndFieldsKeepUnknownMembers(t *testing.T) {
	_, sess, ctx := work(t, map[string]string{"flash": `"saved"`, "other": `[1, 2]`, "gone": `1`})
	flash := sojourn.Key[string]("flash")
	if v, ok, err := flash.Pop(ctx); v != "saved" || !ok || err != nil {
		t.Errorf("pop: %q %t %v", v, ok, err)
	}
	if v, ok, err := flash.Pop(ctx); v != "" || ok || err != nil {
		t.Errorf("second pop: %q %t %v", v, ok, err)
	}
	type view struct {
		New  string `json:"new"`
		Gone int    `json:"gone,omitempty"`
	}
	if _, err := (sojourn.Fields[view]{}).Update(ctx, func(v *view) error { v.New, v.Gone = "x", 0; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := sess.Save(ctx); err != nil {
		t.Fatal(err)
	}
	members, rev, err := sess.Members(ctx)
	if err != nil || len(members) != 2 || string(members["other"]) != "[1, 2]" || string(members["new"]) != `"x"` || rev == 0 {
		t.Errorf("members: %s, %d, %v", members, rev, err)
	}
	if _, err := (sojourn.Fields[int]{}).Load(ctx); !errors.Is(err, sojourn.ErrInvalid) {
		t.Errorf("fields of a non-struct: %v", err)
	}
}

func TestPatchComparesRevisions(t *testing.T) {
	_, sess, ctx := work(t, map[string]string{"a": `1`})
	_, rev, err := sess.Members(ctx)
	if err != nil {
		t.Fatal(err)
	}
	next, err := sess.Patch(ctx, map[string]json.RawMessage{"a": nil, "b": json.RawMessage(`{"x":1}`)}, &rev)
	if err != nil || next != rev+1 {
		t.Fatalf("patch: %d, %v", next, err)
	}
	now, err := sess.Patch(ctx, map[string]json.RawMessage{"b": nil}, &rev)
	if !errors.Is(err, sojourn.ErrConflict) || now != next {
		t.Errorf("patch of an old revision: %d, %v; expected ErrConflict and %d", now, err, next)
	}
	if _, err := sess.Patch(ctx, map[string]json.RawMessage{"b": json.RawMessage(`{`)}, nil); !errors.Is(err, sojourn.ErrInvalid) {
		t.Errorf("patch with broken JSON: %v", err)
	}
	if got, _ := sojourn.Key[map[string]int]("b").Get(ctx); got["x"] != 1 {
		t.Errorf("b: %v", got)
	}
}

func TestATooLargeChangeLeavesTheRestAlone(t *testing.T) {
	_, sess, ctx := work(t, map[string]string{"a": `1`})
	big := sojourn.Key[string]("big")
	if err := big.Set(ctx, strings.Repeat("x", 65<<10)); !errors.Is(err, sojourn.ErrTooLarge) {
		t.Errorf("65 KiB: %v", err)
	}
	if err := big.Set(ctx, strings.Repeat("x", 60<<10)); err != nil {
		t.Errorf("60 KiB: %v", err)
	}
	if err := sojourn.Key[string]("more").Set(ctx, strings.Repeat("x", 6<<10)); !errors.Is(err, sojourn.ErrTooLarge) {
		t.Errorf("66 KiB together: %v", err)
	}
	if err := sess.Save(ctx); err != nil {
		t.Fatal(err)
	}
	if v, _ := big.Get(ctx); len(v) != 60<<10 {
		t.Errorf("%d bytes", len(v))
	}
	if err := sojourn.Key[func()]("f").Set(ctx, func() {}); !errors.Is(err, sojourn.ErrInvalid) {
		t.Errorf("a func: %v", err)
	}
}
