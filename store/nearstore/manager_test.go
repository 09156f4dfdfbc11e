package nearstore_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/nearstore"
)

const visits = sojourn.Counter("visits")

// application is one process of a site: a manager over a near store.
type application struct {
	m *sojourn.Manager
	h http.Handler
}

func applications(t *testing.T, n int, opt nearstore.Options, core sojourn.Options) (*source, *clock, []application) {
	src, c, near := nodes(t, n, opt)
	core.Clock = c.now
	all := make([]application, n)
	for i := range all {
		m, err := sojourn.New(near[i], &core)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { m.Close() })
		mux := http.NewServeMux()
		mux.HandleFunc("/owner", func(w http.ResponseWriter, r *http.Request) {
			s, _ := sojourn.From(r.Context())
			owner, err := s.Owner(r.Context())
			fmt.Fprint(w, owner)
			if err != nil && !errors.Is(err, sojourn.ErrUnavailable) {
				t.Errorf("owner: %v", err)
			}
		})
		mux.HandleFunc("/renew", func(w http.ResponseWriter, r *http.Request) {
			s, _ := sojourn.From(r.Context())
			if err := s.RenewNow(r.Context()); err != nil {
				t.Errorf("renew: %v", err)
			}
		})
		mux.HandleFunc("/add", func(w http.ResponseWriter, r *http.Request) {
			sum, _ := visits.Add(r.Context(), 1)
			fmt.Fprint(w, sum)
		})
		mux.HandleFunc("/logout", func(w http.ResponseWriter, r *http.Request) {
			s, _ := sojourn.From(r.Context())
			s.Logout(r.Context())
		})
		all[i] = application{m, m.Handler(mux)}
	}
	return src, c, all
}

// send returns the status, the body, and the token as it is afterwards.
func (a application) send(method, path, token string) (int, string, string) {
	r := httptest.NewRequest(method, path, nil)
	r.Header.Set("Cookie", "__Host-sojourn="+token)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	w := httptest.NewRecorder()
	a.h.ServeHTTP(w, r)
	res := w.Result()
	body, _ := io.ReadAll(res.Body)
	for _, k := range res.Cookies() {
		if token = k.Value; k.MaxAge < 0 {
			token = ""
		}
	}
	return res.StatusCode, string(body), token
}

func (a application) want(t *testing.T, method, path, token string, code int, body string) (renewed string) {
	t.Helper()
	gotCode, gotBody, renewed := a.send(method, path, token)
	if gotCode != code || gotBody != body {
		t.Errorf("%s %s: %d %q, expected %d %q", method, path, gotCode, gotBody, code, body)
	}
	return renewed
}

func (a application) login(t *testing.T, owner string) string {
	t.Helper()
	_, token, err := a.m.Create(context.Background(), owner)
	if err != nil {
		t.Fatal(err)
	}
	return token.Reveal()
}

// A secret renewed on one node is known on the next, whatever that one keeps.
func TestP5RotationReachesEveryNode(t *testing.T) {
	_, c, app := applications(t, 2, bounded, sojourn.Options{})
	token := app[0].login(t, "ada")
	app[1].want(t, "GET", "/owner", token, 200, "ada")
	renewed := app[0].want(t, "POST", "/renew", token, 200, "")
	if renewed == token {
		t.Fatal("not renewed")
	}
	app[1].want(t, "GET", "/owner", renewed, 200, "ada")
	c.advance(bound)
	app[1].want(t, "GET", "/owner", token, 200, "") // the old one is dead, within the bound

	for range 9 { // the timer's way, with both nodes in turn
		c.advance(10 * time.Minute)
		for i := range 6 {
			renewed = app[i%2].want(t, "GET", "/owner", renewed, 200, "ada")
			app[0].m.Close() // touches have landed
			app[1].m.Close()
		}
	}
}

func TestP1LogoutThroughManagers(t *testing.T) {
	_, c, app := applications(t, 2, nearstore.Options{Guarantee: nearstore.Bounded(bound), ServeStale: time.Minute}, sojourn.Options{})
	token := app[0].login(t, "ada")
	app[1].want(t, "GET", "/owner", token, 200, "ada")
	app[0].want(t, "POST", "/logout", token, 200, "")
	app[0].want(t, "GET", "/owner", token, 200, "")
	app[1].want(t, "POST", "/owner", token, 200, "") // unsafe: asks
	app[1].want(t, "GET", "/owner", token, 200, "")
	token = app[0].login(t, "ada")
	app[1].want(t, "GET", "/owner", token, 200, "ada")
	if err := app[0].m.RevokeOwner(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	app[0].want(t, "GET", "/owner", token, 200, "")
	c.advance(bound)
	app[1].want(t, "GET", "/owner", token, 200, "")
}

// P9: while the source is down, pages are read from what is kept, for as long
// as allowed; what writes is 503; what was revoked stays so.
func TestP9ServeStale(t *testing.T) {
	const stale = 30 * time.Second
	for name, g := range map[string]nearstore.Guarantee{"Strict": nearstore.Strict, "Bounded": nearstore.Bounded(bound)} {
		t.Run(name, func(t *testing.T) {
			src, c, app := applications(t, 1, nearstore.Options{Guarantee: g, ServeStale: stale}, sojourn.Options{})
			here := app[0]
			ada, bob := here.login(t, "ada"), here.login(t, "bob")
			here.want(t, "POST", "/logout", bob, 200, "")
			c.advance(bound)
			here.want(t, "GET", "/owner", ada, 200, "ada")
			src.fail(errDown)
			c.advance(stale - time.Nanosecond)
			if token := here.want(t, "GET", "/owner", ada, 200, "ada"); token != ada {
				t.Error("an outage changed the token")
			}
			here.want(t, "POST", "/owner", ada, 503, "Service Unavailable\n")
			here.want(t, "GET", "/add", ada, 503, "Service Unavailable\n")
			here.want(t, "GET", "/owner", ada, 200, "ada") // the failed write took nothing away
			here.want(t, "GET", "/owner", bob, 503, "Service Unavailable\n")
			c.advance(time.Nanosecond)
			here.want(t, "GET", "/owner", ada, 503, "Service Unavailable\n")
			src.fail(nil)
			here.want(t, "GET", "/add", ada, 200, "1")
			here.want(t, "GET", "/owner", bob, 200, "")
			src.fail(errDown)
			if token := here.want(t, "POST", "/logout", ada, 503, "Service Unavailable\n"); token != ada {
				t.Error("a logout that failed let the client forget its token")
			}
			src.fail(nil)
			here.want(t, "GET", "/owner", ada, 200, "ada")
		})
	}
}

// A logout that failed is asked about, and served to nobody meanwhile.
func TestP1AFailedLogoutIsNotServedStale(t *testing.T) {
	src, _, app := applications(t, 1, nearstore.Options{ServeStale: time.Minute}, sojourn.Options{})
	here := app[0]
	token := here.login(t, "ada")
	src.on(&src.before, func(_ context.Context, op string) error {
		if op == "revoke" {
			return errDown
		}
		return nil
	})
	here.want(t, "POST", "/logout", token, 503, "Service Unavailable\n")
	src.fail(errDown)
	here.want(t, "GET", "/owner", token, 503, "Service Unavailable\n")
}

// P2: counters add up when both nodes write on what they keep.
func TestP2NoLostUpdates(t *testing.T) {
	_, _, app := applications(t, 2, bounded, sojourn.Options{})
	token := app[0].login(t, "ada")
	for range 50 {
		done := make(chan int)
		for i := range 4 {
			go func() { code, _, _ := app[i%2].send("GET", "/add", token); done <- code }()
		}
		for range 4 {
			if code := <-done; code != 200 {
				t.Fatal(code)
			}
		}
	}
	app[0].want(t, "POST", "/add", token, 200, "201")
}
