package dbsc_test

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/bind/dbsc"
	"github.com/sojournhq/sojourn/store/memstore"
)

const sessionCookie = "__Host-sojourn"

func TestBinding(t *testing.T) {
	for _, quoted := range []bool{false, true} { // as Chromium sends headers, and as the draft writes them
		s := newSite(t, nil)
		d := s.device()
		d.quoted = quoted
		d.want("GET", "/state", 200, "none")
		d.want("POST", "/set/v", 200, "")
		d.want("GET", "/state", 200, "unbound")
		path, challenge := d.login("ada")
		d.want("GET", "/state", 200, "unbound")
		a := d.register(path, challenge)
		if a.code != 200 || a.header.Get("Cache-Control") != "no-store" || a.header.Get("Content-Type") != "application/json" {
			t.Fatalf("registration: %+v", a)
		}
		line := a.header.Get("Set-Cookie")
		for _, part := range []string{"__Host-sojourn-bound=", "; Max-Age=600", "; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"} {
			if !strings.Contains(line, part) {
				t.Errorf("Set-Cookie %q without %q", line, part)
			}
		}
		if !strings.Contains(a.body, `"include_site":false`) || !strings.Contains(a.body, `"refresh_url":"/_session/dbsc/refresh"`) {
			t.Errorf("configuration %s", a.body)
		}
		d.want("GET", "/state", 200, "bound")
		d.want("GET", "/get", 200, "v")
		if bound := s.of(sojourn.EventBound); len(bound) != 1 || bound[0].Owner != "ada" {
			t.Errorf("events %+v", bound)
		}

		s.pass(10 * time.Minute) // the browser drops the cookie and refreshes first
		delete(d.jar, d.bound)
		if a := d.renew(); a.code != 200 {
			t.Fatalf("refresh: %+v", a)
		}
		d.want("GET", "/owner", 200, "ada")
		s.pass(3 * time.Hour) // too late for the challenge left over
		delete(d.jar, d.bound)
		if a := d.renew(); a.code != 200 {
			t.Fatalf("refresh: %+v", a)
		}
		d.want("GET", "/owner", 200, "ada")
		if n := len(s.of(sojourn.EventRefused)); n != 0 {
			t.Errorf("%d refusals", n)
		}
	}
}

// The theft that this package is for: the session cookie alone is worth nothing
// elsewhere, and its use is told; the device carries on.
func TestTheft(t *testing.T) {
	s := newSite(t, nil)
	d := s.device()
	d.bind("ada")
	d.want("POST", "/set/secret", 200, "")
	s.pass(time.Minute)

	thief := d.clone(sessionCookie)
	thief.want("GET", "/owner", 200, "")
	thief.want("GET", "/get", 200, "")
	thief.want("GET", "/state", 200, "none")
	thief.want("POST", "/set/evil", 401, "*")
	if a := thief.want("GET", "/vault", 401, "*"); !strings.Contains(a.body, "session_none") || a.header.Get("Secure-Session-Registration") != "" {
		t.Errorf("the vault: %+v", a)
	}
	if a := thief.want("GET", "/page", 200, "*"); a.header.Get("Secure-Session-Registration") != "" {
		t.Error("a thief is offered to bind the session")
	}
	thief.want("POST", "/logout", 200, "") // of nothing but the own copy
	refused := s.of(sojourn.EventRefused)
	if len(refused) != 7 || !errors.Is(refused[0].Err, dbsc.ErrUnproven) || refused[0].Owner != "ada" || refused[0].IP == "" {
		t.Errorf("events %+v", refused)
	}

	// With its own key, and with the device's old proofs, it gets no further.
	thief = d.clone(sessionCookie)
	if a := thief.do("POST", d.refresh, "Sec-Secure-Session-Id", d.name); a.code != 403 || a.header.Get("Set-Cookie") != "" {
		t.Errorf("without proof: %+v", a)
	}
	if a := thief.renew(); a.code != 400 || a.header.Get("Set-Cookie") != "" {
		t.Errorf("with another key: %+v", a)
	}
	used := d.prove(d.challenge, false)
	if a := d.renew(); a.code != 200 {
		t.Fatalf("refresh: %+v", a)
	}
	if a := thief.do("POST", d.refresh, "Sec-Secure-Session-Id", d.name, "Secure-Session-Response", used); a.code != 403 || a.header.Get("Set-Cookie") != "" {
		t.Errorf("a used proof: %+v", a)
	}
	if a := thief.do("POST", d.refresh, "Sec-Secure-Session-Id", d.name, "Secure-Session-Response", d.prove(d.challenge, true)); a.code != 400 {
		t.Errorf("a proof with a key, after registration: %+v", a)
	}
	if a := thief.do("POST", d.refresh, "Secure-Session-Response", d.prove(d.challenge, false)); a.code != 401 {
		t.Errorf("without the binding's name: %+v", a)
	}
	d.want("GET", "/get", 200, "secret")

	// Both cookies: at most until theirs ends.
	thief = d.clone(sessionCookie, d.bound)
	thief.want("GET", "/owner", 200, "ada")
	s.pass(10*time.Minute + 29*time.Second)
	thief.want("GET", "/owner", 200, "ada")
	s.pass(2 * time.Second)
	thief.want("GET", "/owner", 200, "")
	if last := s.of(sojourn.EventRefused); !strings.Contains(last[len(last)-1].Err.Error(), "expired") {
		t.Errorf("told %v", last[len(last)-1].Err)
	}
	if a := d.renew(); a.code != 200 {
		t.Fatalf("the device: %+v", a)
	}
	d.want("GET", "/owner", 200, "ada")
}

// The cookie of one session proves nothing for another, of the same user too.
func TestCookieOfAnotherSession(t *testing.T) {
	s := newSite(t, nil)
	d, e := s.device(), s.device()
	d.bind("ada")
	e.bind("ada")
	s.pass(time.Minute)
	mixed := d.clone(sessionCookie)
	mixed.jar[d.bound] = e.jar[e.bound]
	mixed.want("GET", "/owner", 200, "")
	if told := s.of(sojourn.EventRefused); len(told) != 1 || !strings.Contains(told[0].Err.Error(), "another binding") {
		t.Errorf("told %+v", told)
	}
	if a := e.do("POST", e.refresh, "Sec-Secure-Session-Id", d.name, "Secure-Session-Response", d.prove(d.challenge, false)); a.code != 401 {
		t.Errorf("refresh of another's binding: %+v", a)
	}
	d.want("GET", "/owner", 200, "ada")
}

// P1 for bindings: what ends the session ends them, and the browser is told so.
func TestP1RevokeEndsTheBinding(t *testing.T) {
	for _, how := range []string{"logout", "revoke", "revoke all"} {
		s := newSite(t, nil)
		d := s.device()
		d.bind("ada")
		kept := d.clone(sessionCookie, d.bound)
		kept.key = d.key
		switch how {
		case "logout":
			d.want("POST", "/logout", 200, "")
		case "revoke":
			id, err := sojourn.ParseToken(d.jar[sessionCookie])
			if err != nil {
				t.Fatal(err)
			}
			if err := s.m.Revoke(t.Context(), id.ID(), sojourn.ReasonRevoked); err != nil {
				t.Fatal(err)
			}
		default:
			if err := s.m.RevokeOwner(t.Context(), "ada"); err != nil {
				t.Fatal(err)
			}
		}
		kept.want("GET", "/owner", 200, "")
		if a := kept.renew(); a.code != 401 || a.header.Get("Set-Cookie") != "" || a.header.Get("Secure-Session-Challenge") != "" {
			t.Errorf("%s: refresh: %+v", how, a)
		}
	}
}

// P9 for bindings: whatever fails, and whenever, is answered so that browsers try
// again, and afterwards everything is as before.
func TestP9OutageIsNotTheEndOfABinding(t *testing.T) {
	s := newSite(t, nil)
	d := s.device()
	d.bind("ada")
	s.pass(11 * time.Minute)
	delete(d.jar, d.bound)

	s.store.down.Store(true)
	unavailable := func(a answer) {
		t.Helper()
		if a.code != 503 || a.header.Get("Retry-After") == "" || len(a.header.Values("Set-Cookie")) != 0 {
			t.Errorf("%+v", a)
		}
	}
	unavailable(d.do("POST", d.refresh, "Sec-Secure-Session-Id", d.name))
	unavailable(d.renew())
	unavailable(d.do("GET", "/owner"))
	s.store.down.Store(false)

	s.store.writesFail.Store(true)
	unavailable(d.renew())
	s.store.writesFail.Store(false)

	// The store is back before the browser has refreshed: it says that it could not.
	for _, reason := range []string{"server_error", "unreachable", "quota_exceeded"} {
		header := reason + `;session_identifier="` + d.name + `"`
		unavailable(d.do("GET", "/owner", "Secure-Session-Skipped", header))
		unavailable(d.do("POST", "/set/v", "Secure-Session-Skipped", header))
		if a := d.do("GET", "/plain", "Secure-Session-Skipped", header); a.code != 200 {
			t.Errorf("a page without session: %+v", a)
		}
	}
	for _, header := range []string{`server_error;session_identifier="bother"`, "server_error", `signing_failed;session_identifier="` + d.name + `"`, "(", `"server_error"`} {
		if a := d.do("GET", "/owner", "Secure-Session-Skipped", header); a.code != 200 || a.body != "" {
			t.Errorf("skipped %q: %+v", header, a)
		}
	}

	s.store.afterUpdate.Store(true) // an answer of the store is lost
	if a := d.renew(); a.code != 200 {
		t.Errorf("refresh: %+v", a)
	}
	d.want("GET", "/owner", 200, "ada")
}

// The answer to a refresh is lost: the browser sends the same proof again.
func TestLostRefresh(t *testing.T) {
	s := newSite(t, nil)
	d := s.device()
	d.bind("ada")
	before := d.challenge
	if a := d.renew(); a.code != 200 {
		t.Fatalf("%+v", a)
	}
	d.challenge = before
	delete(d.jar, d.bound)
	if a := d.renew(); a.code != 200 {
		t.Fatalf("again: %+v", a)
	}
	d.want("GET", "/owner", 200, "ada")
}

// The answer to a registration is lost: the browser has neither key nor cookie,
// and its session goes on unbound until the next offer is taken up.
func TestLostRegistration(t *testing.T) {
	s := newSite(t, nil)
	d := s.device()
	path, challenge := d.login("ada")
	d.register(path, challenge)
	delete(d.jar, d.bound)
	d.want("GET", "/state", 200, "pending")
	s.pass(time.Hour)
	d.want("GET", "/owner", 200, "ada")
	a := d.want("GET", "/page", 200, "")
	path, challenge, ok := offered(a.header)
	if !ok {
		t.Fatal("no other offer")
	}
	other := d.clone(sessionCookie)
	if a := other.register(path, challenge); a.code != 200 {
		t.Fatalf("%+v", a)
	}
	other.want("GET", "/state", 200, "bound")
	s.pass(time.Minute)
	d.want("GET", "/owner", 200, "") // without the new cookie
}

// P5 for bindings: requests that were under way when the binding took hold, or
// while it was refreshed, log nobody out.
func TestP5RequestsUnderWay(t *testing.T) {
	s := newSite(t, nil)
	d := s.device()
	path, challenge := d.login("ada")
	slow := d.clone(sessionCookie) // the same browser, before the answer
	d.register(path, challenge)
	slow.want("GET", "/owner", 200, "ada")
	d.want("GET", "/state", 200, "bound")
	s.pass(30 * time.Second)
	slow.want("GET", "/owner", 200, "ada")
	s.pass(time.Millisecond)
	slow.want("GET", "/owner", 200, "")

	older := d.clone(sessionCookie, d.bound)
	for range 5 {
		s.pass(time.Minute)
		if a := d.renew(); a.code != 200 {
			t.Fatalf("%+v", a)
		}
		older.want("GET", "/owner", 200, "ada")
		d.want("GET", "/owner", 200, "ada")
	}
}

// A proof that was signed ahead is worth nothing once its challenge is old.
func TestChallengesGrowOld(t *testing.T) {
	s := newSite(t, nil)
	d := s.device()
	d.bind("ada")
	for _, c := range []struct {
		after time.Duration
		code  int
	}{{10*time.Minute + 30*time.Second, 200}, {10*time.Minute + 30*time.Second + time.Millisecond, 403}} {
		kept := d.prove(d.challenge, false)
		s.pass(c.after)
		if a := d.do("POST", d.refresh, "Sec-Secure-Session-Id", d.name, "Secure-Session-Response", kept); a.code != c.code {
			t.Errorf("after %v: %d, expected %d", c.after, a.code, c.code)
		}
	}
}

// Twenty refreshes with one challenge: one counts, the others are challenged.
func TestAProofCountsOnce(t *testing.T) {
	s := newSite(t, nil)
	d := s.device()
	d.bind("ada")
	used := d.prove(d.challenge, false)
	var mu sync.Mutex
	var wg sync.WaitGroup
	codes := map[int]int{}
	for range 20 {
		wg.Go(func() {
			c := d.clone(sessionCookie)
			a := c.do("POST", d.refresh, "Sec-Secure-Session-Id", d.name, "Secure-Session-Response", used)
			mu.Lock()
			codes[a.code]++
			mu.Unlock()
		})
	}
	wg.Wait()
	if codes[200] != 1 || codes[403] != 19 {
		t.Errorf("answers %v, expected 200 once and 403 else", codes)
	}
}

func TestRegistrationIsRefused(t *testing.T) {
	s := newSite(t, nil)
	d := s.device()
	path, challenge := d.login("ada")
	other := s.device()
	_, others := other.login("bob")
	refused := func(what string, code int, a answer) {
		t.Helper()
		if a.code != code || a.header.Get("Set-Cookie") != "" || a.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %+v, expected %d", what, a, code)
		}
	}
	send := func(jws string) answer { return d.do("POST", path, "Secure-Session-Response", jws) }
	refused("no proof", 400, d.do("POST", path))
	refused("no session", 401, s.device().register(path, challenge))
	refused("another's offer", 400, d.register(path, others))
	refused("made up", 400, d.register(path, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"))
	refused("no key", 400, send(d.prove(challenge, false)))
	refused("another type", 400, send(d.signed(map[string]any{"jti": challenge}, true, "JWT")))
	refused("no challenge", 400, send(d.signed(map[string]any{"aud": "x"}, true, "dbsc+jwt")))
	refused("a number", 400, send(d.signed(map[string]any{"jti": 7}, true, "dbsc+jwt")))
	jws := d.prove(challenge, true)
	refused("cut", 400, send(jws[:len(jws)-3]))
	refused("too long", 400, send(strings.Repeat("a", 9000)))
	parts := strings.Split(jws, ".")
	refused("another's signature", 400, send(parts[0]+"."+parts[1]+"."+strings.Split(other.prove(challenge, true), ".")[2]))
	refused("unsigned", 400, send("eyJhbGciOiJub25lIiwidHlwIjoiZGJzYytqd3QifQ."+parts[1]+"."))
	d.want("GET", "/state", 200, "unbound")
	s.pass(61 * time.Second)
	refused("late", 400, d.register(path, challenge))
	d.want("GET", "/state", 200, "unbound")

	d.login("ada") // the offer of the session before
	refused("of the session before", 400, d.register(path, challenge))
	if a := d.register(d.login("ada")); a.code != 200 {
		t.Fatalf("%+v", a)
	}
	d.want("GET", "/state", 200, "bound")
	a := d.do("GET", "/page")
	if _, _, ok := offered(a.header); ok {
		t.Error("a bound session is offered to bind")
	}

	e := s.device()
	path, challenge = e.login("ada")
	e.register(path, challenge)
	e.want("GET", "/state", 200, "bound")
	refused("bound already", 409, e.register(path, challenge))
	e.want("GET", "/owner", 200, "ada")

	for _, c := range []struct {
		method, path string
		code         int
	}{{"GET", path, 405}, {"POST", dbsc.DefaultPath, 404}, {"POST", path + "/x", 404}} {
		refused(c.method+c.path, c.code, d.do(c.method, c.path))
	}
}

// A binding is of its session: a login registers anew, also the same user's.
func TestLoginBindsAnew(t *testing.T) {
	s := newSite(t, nil)
	d := s.device()
	d.bind("ada")
	name := d.name
	path, challenge := d.login("ada")
	d.want("GET", "/state", 200, "unbound") // the old cookie is still there
	if a := d.renew(); a.code != 401 {      // the browser forgets the old binding
		t.Errorf("%+v", a)
	}
	if a := d.register(path, challenge); a.code != 200 || d.name == name {
		t.Errorf("%+v", a)
	}
	d.want("GET", "/state", 200, "bound")
}

// Another process, and a restart, verify what this one gave.
func TestRestart(t *testing.T) {
	s := newSite(t, nil)
	d := s.device()
	d.bind("ada")
	s.start(nil)
	d.want("GET", "/owner", 200, "ada")
	if a := d.renew(); a.code != 200 {
		t.Fatalf("%+v", a)
	}
	s.pass(time.Minute)
	d.clone(sessionCookie).want("GET", "/owner", 200, "")

	e := s.device()
	path, challenge := e.login("bob")
	s.start(nil) // and with it the key of offers
	if a := e.register(path, challenge); a.code != 400 {
		t.Errorf("an offer of another process: %+v", a)
	}
	e.want("GET", "/owner", 200, "bob")
	key := make([]byte, 32)
	s.start(&dbsc.Options{Key: key})
	path, challenge = e.login("bob")
	s.start(&dbsc.Options{Key: key})
	if a := e.register(path, challenge); a.code != 200 {
		t.Errorf("an offer of another process with the same key: %+v", a)
	}
}

func TestPolicy(t *testing.T) {
	s := newSite(t, &dbsc.Options{UnboundFor: 10 * time.Minute})
	old := s.device() // a browser without the protocol
	old.login("ada")
	a := old.want("GET", "/vault", 403, "*")
	if !strings.Contains(a.body, `"code":"device_binding_required"`) {
		t.Errorf("%s", a.body)
	}
	if _, _, ok := offered(a.header); ok {
		t.Error("offered again while the first may be under way")
	}
	s.pass(5 * time.Minute)
	if path, challenge, ok := offered(old.want("GET", "/vault", 403, "*").header); !ok {
		t.Error("no other offer")
	} else {
		young := old.clone(sessionCookie)
		young.register(path, challenge)
		young.want("GET", "/vault", 200, "gold")
		s.pass(time.Minute)
		old.want("GET", "/vault", 401, "*")
		s.pass(8 * time.Minute)
		young.want("GET", "/owner", 200, "ada") // bound: as long as the session lives
	}

	plain := s.device()
	plain.login("bob")
	s.pass(10 * time.Minute)
	plain.want("GET", "/owner", 200, "bob")
	s.pass(time.Millisecond)
	plain.want("GET", "/owner", 200, "")
	if last := s.of(sojourn.EventRefused); !errors.Is(last[len(last)-1].Err, dbsc.ErrUnbound) {
		t.Errorf("told %v", last[len(last)-1].Err)
	}
	plain.login("bob") // and again
	plain.want("GET", "/owner", 200, "bob")

	visitor := s.device() // nobody's session needs no device
	visitor.want("POST", "/set/v", 200, "")
	s.pass(time.Hour)
	visitor.want("GET", "/get", 200, "v")
	visitor.want("GET", "/vault", 403, "*")
	s.device().want("GET", "/vault", 401, "*")
}

// A token without its request proves no device.
func TestAuthenticate(t *testing.T) {
	s := newSite(t, nil)
	d := s.device()
	d.login("ada")
	if _, err := s.m.Authenticate(t.Context(), d.jar[sessionCookie]); err != nil {
		t.Errorf("unbound: %v", err)
	}
	d.bind("ada")
	if _, err := s.m.Authenticate(t.Context(), d.jar[sessionCookie]); !errors.Is(err, sojourn.ErrNotFound) {
		t.Errorf("bound: %v, expected ErrNotFound", err)
	}
}

// P8 and P10: refreshes extend nothing; requests without session cost nothing,
// bound ones one read as ever.
func TestP8RefreshIsNoActivity(t *testing.T) {
	s := newSite(t, nil)
	d := s.device()
	d.bind("ada")
	for hour := 1; hour < 4; hour++ {
		s.pass(time.Hour)
		if a := d.renew(); a.code != 200 {
			t.Fatalf("after %d hours: %+v", hour, a)
		}
	}
	s.pass(time.Hour)
	if a := d.renew(); a.code != 401 {
		t.Errorf("refreshes kept the session alive beyond its idle timeout: %+v", a)
	}
}

func TestP10Cost(t *testing.T) {
	s := newSite(t, nil)
	d := s.device()
	d.want("GET", "/owner", 200, "")
	d.want("GET", "/state", 200, "none")
	if n := s.store.calls.Load(); n != 0 {
		t.Errorf("%d store calls for nobody", n)
	}
	d.bind("ada")
	d.want("GET", "/owner", 200, "ada")
	before := s.store.calls.Load()
	d.want("GET", "/owner", 200, "ada")
	d.want("GET", "/plain", 200, "plain")
	if n := s.store.calls.Load() - before; n != 1 {
		t.Errorf("%d store calls for a read, expected 1", n)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for what, o := range map[string]dbsc.Options{
		"Path":       {Path: "dbsc/"},
		"Path ":      {Path: "/dbsc"},
		"Cookie":     {Cookie: "bound"},
		"Lifetime":   {Lifetime: time.Second},
		"Overlap":    {Overlap: time.Hour},
		"UnboundFor": {UnboundFor: time.Second},
		"Exclude":    {Exclude: []string{"/"}},
		"Key":        {Key: []byte("short")},
	} {
		if _, err := dbsc.New(&sojourn.Options{}, &o); !errors.Is(err, sojourn.ErrInvalid) || !strings.Contains(err.Error(), "Options."+strings.TrimSpace(what)) || !strings.Contains(err.Error(), "expected") {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, rules := range map[string]*sojourn.Options{
		"nil":         nil,
		"HTTPS":       {Cookie: sojourn.Cookie{Insecure: true}},
		"Domain":      {Cookie: sojourn.Cookie{Domain: "example.com"}},
		"Partitioned": {Cookie: sojourn.Cookie{Partitioned: true}},
	} {
		if _, err := dbsc.New(rules, nil); !errors.Is(err, sojourn.ErrInvalid) || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
	rules := &sojourn.Options{Cookie: sojourn.Cookie{SameSite: http.SameSiteStrictMode}}
	if _, err := dbsc.New(rules, &dbsc.Options{Exclude: []string{"/assets/"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := sojourn.New(memstore.New(nil), rules); err != nil {
		t.Fatal(err)
	}
}
