package format_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/format"
	"github.com/sojournhq/sojourn/format/expressformat"
	"github.com/sojournhq/sojourn/format/koaformat"
	"github.com/sojournhq/sojourn/format/phpformat"
	"github.com/sojournhq/sojourn/store/memstore"
)

// Only the member that was changed is replaced in the other system's bytes.
func TestWritesKeepBytes(t *testing.T) {
	f := setup(t, nil, nil, sojourn.Policy{})
	f.keep.put("abc", record, f.clock.now().Add(time.Hour))
	f.serve(f.cookie("abc"), func(_ http.ResponseWriter, ctx context.Context, s *sojourn.Session) {
		f.must(set("cart", `["tea"]`)(ctx))
		owner, err := s.Owner(ctx)
		f.must(err)
		id, err := s.ID(ctx)
		if f.must(err); owner != "ada" || id != "abc" {
			t.Errorf("%q %q", owner, id)
		}
	})
	if got, want := f.keep.get("abc"), strings.TrimSuffix(record, "}")+`,"cart":["tea"]}`; got != want {
		t.Errorf("%s\nexpected\n%s", got, want)
	}
}

// P1: a session that has ended here stays ended, also if the other system writes
// its record back.
func TestLogoutIsFinal(t *testing.T) {
	f := setup(t, nil, nil, sojourn.Policy{})
	f.keep.put("abc", record, f.clock.now().Add(time.Hour))
	_, _, cookies := f.serve(f.cookie("abc"), func(_ http.ResponseWriter, ctx context.Context, s *sojourn.Session) { f.must(s.Logout(ctx)) })
	if len(cookies) != 1 || cookies[0].MaxAge >= 0 {
		t.Errorf("%v", cookies)
	}
	if got := f.keep.get("abc"); got != "" {
		t.Errorf("still there: %s", got)
	}
	f.keep.put("abc", record, f.clock.now().Add(time.Hour)) // a slow request
	if st := f.status(f.cookie("abc")); st.State != sojourn.StateEnded || st.Reason != sojourn.ReasonLogout {
		t.Errorf("%+v", st)
	}
	code, _, _ := f.serve(f.cookie("abc"), func(_ http.ResponseWriter, ctx context.Context, _ *sojourn.Session) {
		f.is(set("cart", `1`)(ctx), sojourn.ErrStaleToken)
	})
	if code != 200 {
		t.Errorf("%d", code)
	}
}

// P1: an update never creates.
func TestUpdateNeverCreates(t *testing.T) {
	f := setup(t, nil, nil, sojourn.Policy{})
	f.keep.put("abc", record, f.clock.now().Add(time.Hour))
	code, _, _ := f.serve(f.cookie("abc"), func(_ http.ResponseWriter, ctx context.Context, _ *sojourn.Session) {
		f.must(set("cart", `["tea"]`)(ctx))
		f.must(f.keep.Delete(ctx, "sess:abc")) // Express logs out meanwhile
	})
	if code != 401 || f.keep.get("abc") != "" {
		t.Errorf("%d, %q", code, f.keep.get("abc"))
	}
}

// P2: what the other system wrote after our read is kept, and ours too.
func TestNoLostUpdate(t *testing.T) {
	f := setup(t, nil, nil, sojourn.Policy{})
	f.keep.put("abc", record, f.clock.now().Add(time.Hour))
	f.serve(f.cookie("abc"), func(_ http.ResponseWriter, ctx context.Context, _ *sojourn.Session) {
		_, err := sojourn.Counter("n2").Add(ctx, 5)
		f.must(err)
		f.keep.put("abc", strings.Replace(record, `"n":1.0`, `"n":2,"n2":10,"theirs":true`, 1), f.clock.now().Add(time.Hour))
	})
	if got := f.keep.get("abc"); !strings.Contains(got, `"n":2,"n2":15,"theirs":true`) {
		t.Errorf("%s", got)
	}
}

// P3: an answer that was lost is recognised by the bytes.
func TestLostAnswer(t *testing.T) {
	lost := errors.New("connection lost")
	t.Run("after it was stored", func(t *testing.T) {
		f := setup(t, nil, nil, sojourn.Policy{})
		f.keep.put("abc", record, f.clock.now().Add(time.Hour))
		f.keep.after = func(string) error { f.keep.after = nil; return lost }
		code, _, _ := f.serve(f.cookie("abc"), func(_ http.ResponseWriter, ctx context.Context, _ *sojourn.Session) {
			_, err := sojourn.Counter("count").Add(ctx, 1)
			f.must(err)
		})
		if got := f.keep.get("abc"); code != 200 || !strings.Contains(got, `"count":1}`) {
			t.Errorf("%d %s", code, got)
		}
	})
	t.Run("after it was stored, and changed by the other system", func(t *testing.T) {
		f := setup(t, nil, nil, sojourn.Policy{})
		f.keep.put("abc", record, f.clock.now().Add(time.Hour))
		f.keep.after = func(string) error {
			f.keep.after = nil
			f.keep.put("abc", strings.Replace(f.keep.get("abc"), `"n":1.0`, `"n":2`, 1), f.clock.now().Add(time.Hour))
			return lost
		}
		code, _, _ := f.serve(f.cookie("abc"), func(_ http.ResponseWriter, ctx context.Context, _ *sojourn.Session) {
			_, err := sojourn.Counter("count").Add(ctx, 1)
			f.must(err)
		})
		if got := f.keep.get("abc"); code != 503 || !strings.Contains(got, `"count":1}`) {
			t.Errorf("%d %s: counted twice?", code, got)
		}
	})
	t.Run("of a new session", func(t *testing.T) {
		f := setup(t, nil, nil, sojourn.Policy{})
		f.keep.after = func(string) error { f.keep.after = nil; return lost }
		code, _, cookies := f.serve("", func(_ http.ResponseWriter, ctx context.Context, s *sojourn.Session) { f.must(s.Login(ctx, "ada")) })
		if code != 200 || len(cookies) != 1 || len(f.keep.data) != 1 {
			t.Errorf("%d %v %v", code, cookies, f.keep.data)
		}
	})
}

// P4: no ID is adopted: neither one without a record nor one without a signature.
func TestNoIDIsAdopted(t *testing.T) {
	f := setup(t, nil, nil, sojourn.Policy{})
	for _, cookie := range []string{f.cookie("planted"), "connect.sid=s%3Aplanted.AAAA", "connect.sid=planted", "connect.sid=" + strings.Repeat("x", 300)} {
		_, _, cookies := f.serve(cookie, func(_ http.ResponseWriter, ctx context.Context, _ *sojourn.Session) { f.must(set("a", `1`)(ctx)) })
		if f.keep.get("planted") != "" || len(cookies) != 1 || strings.Contains(cookies[0].Value, "planted") {
			t.Errorf("%s: %v, %v", cookie, cookies, f.keep.data)
		}
	}
}

// P5 of other systems: RenewNow moves the session to a new ID, with all its bytes.
func TestRenewNow(t *testing.T) {
	f := setup(t, nil, nil, sojourn.Policy{})
	f.keep.put("abc", record, f.clock.now().Add(time.Hour))
	_, _, cookies := f.serve(f.cookie("abc"), func(_ http.ResponseWriter, ctx context.Context, s *sojourn.Session) {
		f.must(set("a", `1`)(ctx))
		f.must(s.RenewNow(ctx))
	})
	if f.keep.get("abc") != "" || len(f.keep.data) != 1 || len(cookies) != 1 {
		t.Fatalf("%v %v", f.keep.data, cookies)
	}
	for _, got := range f.keep.data {
		if want := strings.TrimSuffix(record, "}") + `,"a":1}`; string(got) != want {
			t.Errorf("%s\nexpected\n%s", got, want)
		}
	}
	if st := f.status(pairs(cookies)); st.Owner != "ada" {
		t.Errorf("%+v", st)
	}
	if st := f.status(f.cookie("abc")); st.State != sojourn.StateEnded || st.Reason != sojourn.ReasonMoved {
		t.Errorf("%+v", st)
	}
}

// P9: an outage of either store is no logout.
func TestOutageIsNoLogout(t *testing.T) {
	f := setup(t, nil, nil, sojourn.Policy{})
	f.keep.put("abc", record, f.clock.now().Add(time.Hour))
	f.keep.fail = errors.New("down")
	code, _, cookies := f.serve(f.cookie("abc"), func(_ http.ResponseWriter, ctx context.Context, s *sojourn.Session) {
		_, err := s.Owner(ctx)
		f.is(err, sojourn.ErrUnavailable)
	})
	if code != 503 || len(cookies) != 0 {
		t.Errorf("%d %v", code, cookies)
	}
}

// P10: a request that stores nothing costs nothing.
func TestNothingForNobody(t *testing.T) {
	f := setup(t, nil, nil, sojourn.Policy{})
	_, _, cookies := f.serve("", func(_ http.ResponseWriter, ctx context.Context, s *sojourn.Session) {
		exists, err := s.Exists(ctx)
		if f.must(err); exists {
			t.Error("exists")
		}
	})
	if len(cookies) != 0 || len(f.keep.data) != 0 || f.keep.swaps != 0 {
		t.Errorf("%v %v", cookies, f.keep.data)
	}
}

// What the other system's form has no place for is refused at once.
func TestRefuses(t *testing.T) {
	f := setup(t, nil, nil, sojourn.Policy{})
	f.keep.put("abc", record, f.clock.now().Add(time.Hour))
	f.serve(f.cookie("abc"), func(_ http.ResponseWriter, ctx context.Context, s *sojourn.Session) {
		for what, err := range map[string]error{
			"a reserved name": set("save", `1`)(ctx),
			"a large number":  set("big", `[9007199254740993]`)(ctx),
			"out of range":    set("big", `1e999`)(ctx),
			"SetPolicy":       s.SetPolicy(ctx, sojourn.Policy{Idle: time.Hour}),
			"Remember":        s.Remember(ctx, true),
			"SetLabel":        s.SetLabel(ctx, "laptop"),
			"Renew":           s.Renew(ctx),
			"Elevate":         s.Elevate(ctx, 2),
			"RevokeOwner":     f.m.RevokeOwner(ctx, "ada"),
			"RevokeOthers":    f.m.RevokeOthers(ctx, s),
		} {
			if !errors.Is(err, sojourn.ErrUnsupported) {
				t.Errorf("%s: %v", what, err)
			}
		}
		_, err := s.Devices(ctx)
		f.is(err, sojourn.ErrUnsupported)
	})
	if f.keep.get("abc") != record {
		t.Errorf("%s", f.keep.get("abc"))
	}
	code, _, _ := f.serve(f.cookie("abc"), func(_ http.ResponseWriter, ctx context.Context, _ *sojourn.Session) {
		f.must(set("passport", `{"user":"eve"}`)(ctx)) // becoming somebody else without a login
	})
	if code != 500 || f.keep.get("abc") != record {
		t.Errorf("%d %s", code, f.keep.get("abc"))
	}
	for what, opt := range map[string]sojourn.Options{
		"Header":   {Header: "X-Session"},
		"Cookie":   {Cookie: sojourn.Cookie{Name: "mine"}},
		"Policy":   {Policy: sojourn.Policy{Idle: time.Hour}},
		"Remember": {Remember: sojourn.Policy{Idle: time.Hour}},
		"Absolute": {Policy: sojourn.Policy{Absolute: time.Hour}}, // without records beside
	} {
		if _, err := sojourn.New(f.store, &opt); !errors.Is(err, sojourn.ErrUnsupported) || !strings.Contains(err.Error(), what) {
			t.Errorf("Options.%s: %v", what, err)
		}
	}
}

func TestReadMostly(t *testing.T) {
	f := setup(t, &format.Options{ReadMostly: true, Own: []string{"go_*"}}, nil, sojourn.Policy{})
	f.keep.put("abc", record, f.clock.now().Add(time.Hour))
	f.serve(f.cookie("abc"), func(_ http.ResponseWriter, ctx context.Context, _ *sojourn.Session) {
		err := set("cart", `1`)(ctx)
		if !errors.Is(err, sojourn.ErrUnsupported) || !strings.Contains(err.Error(), `"cart"`) {
			t.Error(err)
		}
		f.must(set("go_cart", `["tea"]`)(ctx))
	})
	if got := f.keep.get("abc"); got != record {
		t.Errorf("%s", got)
	}
	f.keep.put("abc", strings.Replace(record, "1.0", "2", 1), f.clock.now().Add(time.Hour)) // overwritten
	f.serve(f.cookie("abc"), func(_ http.ResponseWriter, ctx context.Context, s *sojourn.Session) {
		members, _, err := s.Members(ctx)
		if f.must(err); string(members["go_cart"]) != `["tea"]` || string(members["n"]) != "2" {
			t.Errorf("%s", members)
		}
		f.must(s.RenewNow(ctx))
	})
	for _, got := range f.keep.data {
		if strings.Contains(string(got), "go_cart") {
			t.Errorf("%s", got)
		}
	}
}

// With records beside, everything a session of ours has.
func TestBeside(t *testing.T) {
	f := setup(t, &format.Options{Beside: true}, nil, sojourn.Policy{})
	until := f.clock.now().Add(time.Hour)
	for _, id := range []string{"one", "two", "three"} {
		f.keep.put(id, record, until)
		f.status(f.cookie(id)) // seen here
	}
	f.keep.put("unseen", record, until)
	f.serve(f.cookie("one"), func(_ http.ResponseWriter, ctx context.Context, s *sojourn.Session) {
		f.must(s.SetLabel(ctx, "laptop"))
	})
	f.serve(f.cookie("two"), func(_ http.ResponseWriter, ctx context.Context, s *sojourn.Session) {
		list, err := s.Devices(ctx)
		if f.must(err); len(list) != 3 {
			t.Fatalf("%+v", list)
		}
		labels := ""
		for _, st := range list {
			labels += string(st.ID) + "=" + st.Label + " "
		}
		if !strings.Contains(labels, "one=laptop") {
			t.Error(labels)
		}
		f.must(s.RevokeDevice(ctx, "three"))
	})
	if f.keep.get("three") != "" {
		t.Error("three is still there")
	}
	f.serve(f.cookie("two"), func(_ http.ResponseWriter, ctx context.Context, s *sojourn.Session) { f.must(f.m.RevokeOthers(ctx, s)) })
	if f.keep.get("one") != "" || f.keep.get("two") != record {
		t.Errorf("one: %s, two: %s", f.keep.get("one"), f.keep.get("two"))
	}
	if st := f.status(f.cookie("two")); st.State != sojourn.StateActive {
		t.Errorf("two: %+v", st)
	}
	f.keep.put("one", record, until) // a slow request
	if st := f.status(f.cookie("one")); st.State != sojourn.StateEnded || st.Reason != sojourn.ReasonRevoked {
		t.Errorf("one: %+v", st)
	}
	f.must(f.m.RevokeOwner(t.Context(), "ada"))
	if st := f.status(f.cookie("two")); st.State != sojourn.StateEnded {
		t.Errorf("two: %+v", st)
	}
	if st := f.status(f.cookie("unseen")); st.State != sojourn.StateActive { // the documented limit
		t.Errorf("unseen: %+v", st)
	}
}

// A renewal is no login: the time of the last authentication stays.
func TestBesideRenewalKeepsTimes(t *testing.T) {
	f := setup(t, &format.Options{Beside: true}, nil, sojourn.Policy{Absolute: 48 * time.Hour})
	_, _, cookies := f.serve("", func(_ http.ResponseWriter, ctx context.Context, s *sojourn.Session) {
		f.must(s.Login(ctx, "ada"))
		f.must(s.Elevate(ctx, 2))
	})
	before := f.status(pairs(cookies))
	f.clock.pass(time.Hour)
	_, _, cookies = f.serve(pairs(cookies), func(_ http.ResponseWriter, ctx context.Context, s *sojourn.Session) { f.must(s.RenewNow(ctx)) })
	after := f.status(pairs(cookies))
	if before.AuthTime.IsZero() || !after.AuthTime.Equal(before.AuthTime) || !after.Created.Equal(before.Created) || after.Level != 2 || after.ID == before.ID ||
		before.AbsoluteRemaining-after.AbsoluteRemaining != time.Hour {
		t.Errorf("%+v\nbecame\n%+v", before, after)
	}
	f.clock.pass(20 * time.Hour)
	f.status(pairs(cookies)) // extends it
	f.must(f.m.Close())
	f.clock.pass(20 * time.Hour)
	f.status(pairs(cookies))
	f.must(f.m.Close())
	f.clock.pass(7*time.Hour - time.Millisecond)
	if st := f.status(pairs(cookies)); st.State != sojourn.StateActive {
		t.Errorf("just before the absolute deadline: %+v", st)
	}
	f.clock.pass(time.Millisecond)
	if st := f.status(pairs(cookies)); st.State != sojourn.StateEnded || st.Reason != sojourn.ReasonExpired {
		t.Errorf("at the absolute deadline: %+v", st)
	}
}

// The other system may log somebody in without a new ID.
func TestBesideAnotherUser(t *testing.T) {
	f := setup(t, &format.Options{Beside: true}, nil, sojourn.Policy{})
	until := f.clock.now().Add(time.Hour)
	f.keep.put("abc", strings.Replace(record, `{"user":"ada"}`, `{}`, 1), until)
	f.status(f.cookie("abc"))
	for _, user := range []string{"ada", "bob", "ada"} {
		f.keep.put("abc", strings.Replace(record, "ada", user, 1), until)
		if st := f.status(f.cookie("abc")); st.Owner != user || st.State != sojourn.StateActive {
			t.Errorf("%+v", st)
		}
	}
}

// Use extends a session as the other system does, and by its own life.
func TestLifetimes(t *testing.T) {
	f := setup(t, nil, &expressformat.Options{MaxAge: 10 * time.Minute}, sojourn.Policy{})
	_, _, cookies := f.serve("", func(_ http.ResponseWriter, ctx context.Context, s *sojourn.Session) { f.must(set("a", `1`)(ctx)) })
	if len(cookies) != 1 || cookies[0].MaxAge != 600 {
		t.Fatalf("%v", cookies)
	}
	key := ""
	for key = range f.keep.data {
	}
	expires := func() time.Duration { return f.keep.expires[key].Sub(f.clock.now()) }
	if expires() != 10*time.Minute {
		t.Errorf("%v", expires())
	}
	f.clock.pass(5 * time.Minute)
	_, _, again := f.serve(pairs(cookies), func(_ http.ResponseWriter, ctx context.Context, s *sojourn.Session) { _, _ = s.Owner(ctx) })
	f.must(f.m.Close()) // waits for the touch
	if expires() != 10*time.Minute || len(again) != 0 {
		t.Errorf("%v %v", expires(), again)
	}
	f.clock.pass(5 * time.Minute)
	_, _, again = f.serve(pairs(cookies), func(_ http.ResponseWriter, ctx context.Context, _ *sojourn.Session) { f.must(set("b", `1`)(ctx)) })
	if expires() != 10*time.Minute || len(again) != 1 || !strings.Contains(string(f.keep.data[key]), `"expires":"2026-11-21T12:20:00.000Z"`) {
		t.Errorf("%v %v %s", expires(), again, f.keep.data[key])
	}
	f.clock.pass(10 * time.Minute)
	if st := f.status(pairs(cookies)); st.State != sojourn.StateEnded || st.Reason != sojourn.ReasonExpired {
		t.Errorf("%+v", st)
	}
}

func TestRolling(t *testing.T) {
	f := setup(t, nil, &expressformat.Options{MaxAge: 10 * time.Minute, Rolling: true}, sojourn.Policy{})
	f.keep.put("abc", record, f.clock.now().Add(10*time.Minute))
	_, _, cookies := f.serve(f.cookie("abc"), func(_ http.ResponseWriter, ctx context.Context, s *sojourn.Session) { _, _ = s.Owner(ctx) })
	if len(cookies) != 1 {
		t.Errorf("%v", cookies)
	}
}

// Outside requests: sessions are made, opened and authenticated by the other
// system's cookie.
func TestOutsideRequests(t *testing.T) {
	f := setup(t, nil, nil, sojourn.Policy{})
	s, token, err := f.m.Create(t.Context(), "ada")
	if err != nil {
		t.Fatal(err)
	}
	id, _ := s.ID(t.Context())
	if text := token.Reveal(); !strings.HasPrefix(text, "connect.sid=s%3A"+string(id)) {
		t.Errorf("%q", text)
	}
	if text := fmt.Sprintf("%v %+v %#v %s", token, token, token, s); strings.Contains(text, "s%3A") {
		t.Errorf("the cookie shows: %s", text)
	}
	again, err := f.m.Authenticate(t.Context(), token.Reveal())
	if f.must(err); err == nil {
		if owner, err := again.Owner(t.Context()); owner != "ada" || err != nil {
			t.Errorf("%q %v", owner, err)
		}
	}
	if _, err := f.m.Authenticate(t.Context(), "s%3A"+string(id)+".AAAA"); !errors.Is(err, sojourn.ErrInvalid) {
		t.Errorf("%v", err)
	}
	f.must(f.m.Do(t.Context(), id, set("job", `"done"`)))
	if !strings.Contains(f.keep.get(string(id)), `"job":"done"`) {
		t.Errorf("%s", f.keep.get(string(id)))
	}
	f.must(f.m.Revoke(t.Context(), id, sojourn.ReasonRevoked))
	if _, err := f.m.Open(t.Context(), id); !errors.Is(err, sojourn.ErrNotFound) {
		t.Errorf("%v", err)
	}
}

func TestCorruptRecord(t *testing.T) {
	f := setup(t, &format.Options{MaxRecord: 1000}, nil, sojourn.Policy{})
	for id, bad := range map[string]string{"a": "{", "b": `{"user":1}`, "c": `{"cookie":{},"x":"` + strings.Repeat("y", 1000) + `"}`, "d": `{"cookie":{},"x":` + strings.Repeat("[", 400) + strings.Repeat("]", 400) + `}`} {
		f.seen = nil
		f.keep.put(id, bad, f.clock.now().Add(time.Hour))
		if st := f.status(f.cookie(id)); st.State != sojourn.StateNone {
			t.Errorf("%s: %+v", id, st)
		}
		if len(f.seen) != 1 || f.seen[0].Kind != sojourn.EventCorrupt {
			t.Errorf("%s: %+v", id, f.seen)
		}
		if f.keep.get(id) != bad {
			t.Errorf("%s was changed", id)
		}
	}
	f.keep.put("e", record, f.clock.now().Add(time.Hour))
	code, _, _ := f.serve(f.cookie("e"), func(_ http.ResponseWriter, ctx context.Context, _ *sojourn.Session) {
		f.must(set("x", `"`+strings.Repeat("y", 1000)+`"`)(ctx))
	})
	if code != 413 || f.keep.get("e") != record {
		t.Errorf("%d", code)
	}
}

// Where the cookie is the record: it leaves with the answer, or not at all.
func TestInCookie(t *testing.T) {
	at := &clock{t: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
	f := &fixture{t: t, side: memstore.New(nil), clock: at}
	var err error
	f.store, err = koaformat.New(nil, f.side, &koaformat.Options{Keys: []string{"key"}, Store: &format.Options{Clock: at.now}})
	if err != nil {
		t.Fatal(err)
	}
	if f.m, err = sojourn.New(f.store, &sojourn.Options{Clock: at.now, InsecureSkipOriginCheck: true}); err != nil {
		t.Fatal(err)
	}
	_, _, cookies := f.serve("", func(_ http.ResponseWriter, ctx context.Context, s *sojourn.Session) {
		f.must(s.Login(ctx, "ada"))
		f.must(set("a", `1`)(ctx))
	})
	if len(cookies) != 2 || cookies[1].Name != "koa.sess.sig" {
		t.Fatalf("%v", cookies)
	}
	_, _, none := f.serve(pairs(cookies), func(_ http.ResponseWriter, ctx context.Context, s *sojourn.Session) {
		owner, err := s.Owner(ctx)
		if f.must(err); owner != "ada" {
			t.Errorf("%q", owner)
		}
	})
	if len(none) != 0 {
		t.Errorf("a request that only reads: %v", none)
	}
	_, _, none = f.serve(pairs(cookies), func(w http.ResponseWriter, ctx context.Context, s *sojourn.Session) {
		_, _ = w.Write([]byte("begun"))
		f.must(set("late", `1`)(ctx))
		f.is(s.Save(ctx), sojourn.ErrHeadersSent)
	})
	if len(none) != 0 {
		t.Errorf("after the headers: %v", none)
	}
	code, _, none := f.serve(pairs(cookies), func(_ http.ResponseWriter, ctx context.Context, _ *sojourn.Session) {
		f.must(set("big", `"`+strings.Repeat("x", 4000)+`"`)(ctx))
	})
	if code != 413 || len(none) != 0 {
		t.Errorf("too large: %d %v", code, none)
	}
	if _, err := f.m.Open(t.Context(), "x"); !errors.Is(err, sojourn.ErrUnsupported) {
		t.Errorf("%v", err)
	}
	_, _, gone := f.serve(pairs(cookies), func(_ http.ResponseWriter, ctx context.Context, s *sojourn.Session) { f.must(s.Logout(ctx)) })
	if len(gone) != 2 || gone[0].MaxAge >= 0 {
		t.Errorf("%v", gone)
	}
	if st := f.status(pairs(cookies)); st.State != sojourn.StateEnded || st.Reason != sojourn.ReasonLogout {
		t.Errorf("a copy of the cookie: %+v", st)
	}
}

func TestNewRefuses(t *testing.T) {
	express, err := expressformat.Format(&expressformat.Options{Secrets: []string{"x"}})
	if err != nil {
		t.Fatal(err)
	}
	cookie, err := koaformat.Format(&koaformat.Options{Keys: []string{"x"}}, true)
	if err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"no format":         second(format.New(nil, newShelf(), memstore.New(nil), nil)),
		"no keeper":         second(format.New(express, nil, memstore.New(nil), nil)),
		"a keeper too many": second(format.New(cookie, newShelf(), memstore.New(nil), nil)),
		"no side":           second(format.New(express, newShelf(), nil, nil)),
		"a small limit":     second(format.New(express, newShelf(), memstore.New(nil), &format.Options{MaxRecord: 1})),
		"a pattern":         second(format.New(express, newShelf(), memstore.New(nil), &format.Options{Own: []string{"*x"}})),
		"no secrets":        second(expressformat.Format(nil)),
		"an empty secret":   second(expressformat.Format(&expressformat.Options{Secrets: []string{"a", ""}})),
		"a cookie's name":   second(expressformat.Format(&expressformat.Options{Secrets: []string{"a"}, Cookie: format.Cookie{Name: "a b"}})),
		"a negative life":   second(expressformat.Format(&expressformat.Options{Secrets: []string{"a"}, MaxAge: -1})),
		"no keys":           second(koaformat.Format(nil, true)),
		"a hash":            second(koaformat.GenericFormat(&koaformat.Options{Keys: []string{"a"}, Hash: "md5"})),
	} {
		if !errors.Is(err, sojourn.ErrInvalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := format.New(cookie, nil, memstore.New(nil), &format.Options{Beside: true}); !errors.Is(err, sojourn.ErrUnsupported) {
		t.Errorf("beside a cookie: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

// A record in a cookie has no ID but its bytes, so that a renewal within the same
// millisecond must change them: else the new session would have ended with the old.
func TestRenewNowInCookie(t *testing.T) {
	at := &clock{t: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
	f := &fixture{t: t, side: memstore.New(nil), clock: at}
	var err error
	f.store, err = koaformat.New(nil, f.side, &koaformat.Options{Keys: []string{"key"}, Store: &format.Options{Clock: at.now}})
	if err != nil {
		t.Fatal(err)
	}
	if f.m, err = sojourn.New(f.store, &sojourn.Options{Clock: at.now, InsecureSkipOriginCheck: true}); err != nil {
		t.Fatal(err)
	}
	_, _, cookies := f.serve("", func(_ http.ResponseWriter, ctx context.Context, s *sojourn.Session) { f.must(s.Login(ctx, "ada")) })
	for range 3 {
		_, _, next := f.serve(pairs(cookies), func(_ http.ResponseWriter, ctx context.Context, s *sojourn.Session) { f.must(s.RenewNow(ctx)) })
		if st := f.status(pairs(cookies)); st.State != sojourn.StateEnded || st.Reason != sojourn.ReasonMoved {
			t.Errorf("the old one: %+v", st)
		}
		if st := f.status(pairs(next)); st.State != sojourn.StateActive {
			t.Errorf("the new one: %+v", st)
		}
		cookies = next
	}
}

// A commit that changes both their record and our own members, while another
// process changes the latter, is not repeated: in their record it is stored.
func TestPartlyStored(t *testing.T) {
	f := setup(t, &format.Options{Own: []string{"go_*"}}, nil, sojourn.Policy{})
	f.keep.put("abc", record, f.clock.now().Add(time.Hour))
	f.status(f.cookie("abc"))
	other, err := sojourn.New(f.store, &sojourn.Options{Clock: f.clock.now})
	if err != nil {
		t.Fatal(err)
	}
	f.keep.after = func(string) error {
		f.keep.after = nil
		return other.Do(t.Context(), "abc", set("go_a", `1`))
	}
	code, _, _ := f.serve(f.cookie("abc"), func(_ http.ResponseWriter, ctx context.Context, _ *sojourn.Session) {
		_, err := sojourn.Counter("count").Add(ctx, 1)
		f.must(err)
		f.must(set("go_b", `1`)(ctx))
	})
	if got := f.keep.get("abc"); code != 503 || !strings.Contains(got, `"count":1}`) {
		t.Errorf("%d %s: counted twice?", code, got)
	}
	f.serve(f.cookie("abc"), func(_ http.ResponseWriter, ctx context.Context, s *sojourn.Session) {
		members, _, err := s.Members(ctx)
		if f.must(err); string(members["go_a"]) != "1" {
			t.Errorf("%s", members)
		}
	})
}

// A new ID and a login take along what JSON cannot say, and what nobody may write.
func TestNewIDKeepsObjects(t *testing.T) {
	const record = `cart|O:4:"Cart":1:{s:5:"items";a:1:{i:0;d:1;}}suit|E:11:"Suit:Hearts";n|i:1;`
	at := &clock{t: time.Now()}
	f := &fixture{t: t, keep: newShelf(), side: memstore.New(nil), clock: at}
	var err error
	if f.store, err = phpformat.New(f.keep, f.side, &phpformat.Options{Prefix: "sess:"}); err != nil {
		t.Fatal(err)
	}
	if f.m, err = sojourn.New(f.store, &sojourn.Options{InsecureSkipOriginCheck: true}); err != nil {
		t.Fatal(err)
	}
	id := f.store.NewID()
	f.keep.put(id, record, at.now().Add(time.Hour))
	_, _, cookies := f.serve(f.cookie(id), func(_ http.ResponseWriter, ctx context.Context, s *sojourn.Session) {
		f.must(set("n", `2`)(ctx))
		f.must(s.Login(ctx, "ada"))
	})
	_, _, cookies = f.serve(pairs(cookies), func(_ http.ResponseWriter, ctx context.Context, s *sojourn.Session) { f.must(s.RenewNow(ctx)) })
	if len(cookies) != 1 || len(f.keep.data) != 1 {
		t.Fatalf("%v %q", cookies, f.keep.data)
	}
	for _, got := range f.keep.data {
		if want := strings.Replace(record, "n|i:1;", `n|i:2;user_id|s:3:"ada";`, 1); string(got) != want {
			t.Errorf("%s\nexpected\n%s", got, want)
		}
	}
}
