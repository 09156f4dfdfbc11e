package formattest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/format"
)

// A Peer is a running application of another system, and a store that shares its
// sessions.
type Peer struct {
	// URL answers the requests that internal/testenv/node/protocol.md lists.
	URL   string
	Store *format.Store
	// Values are members, raw JSON, that must arrive unchanged both ways.
	Values map[string]string
	// What the system cannot do.
	NoIDChange bool // it has no new ID without a new cookie's content (the cookie is the record)
	NoFlash    bool
	NoSlow     bool // it locks its sessions, so nothing is lost
	NoDelete   bool // members cannot be deleted here
	Overwrites bool // even a request that only reads writes everything back
}

// Share logs in there and reads here, writes here and reads there, gives a new ID
// and ends the session on either side: what users of both applications do.
func Share(t *testing.T, p *Peer) {
	t.Run("login there, read and write here", p.loginThere)
	t.Run("login here, read and write there", p.loginHere)
	t.Run("visitor there logs in here", p.visitorThere)
	t.Run("values", p.values)
	t.Run("new ID there", p.newIDThere)
	t.Run("new ID here", p.newIDHere)
	t.Run("logout there", p.logoutThere)
	t.Run("logout here", p.logoutHere)
	t.Run("forged cookies", p.forged)
	t.Run("parallel writes here", p.parallel)
	if !p.NoFlash {
		t.Run("flash", p.flash)
	}
	if !p.NoSlow {
		t.Run("logout here outlives a slow request there", p.slow)
	}
}

// A world is one browser between both applications.
type world struct {
	t     *testing.T
	there string
	here  string
	jar   *cookiejar.Jar
	b     *http.Client
}

func (p *Peer) world(t *testing.T) *world {
	t.Helper()
	m, err := sojourn.New(p.Store, &sojourn.Options{InsecureSkipOriginCheck: true, LoadTimeout: 5 * time.Second, CommitTimeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	here := httptest.NewServer(m.Handler(App(m)))
	t.Cleanup(func() {
		here.Close()
		m.Close()
	})
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &world{t, p.URL, here.URL, jar, &http.Client{Jar: jar, Timeout: 20 * time.Second}}
}

// State is the answer to GET /session.
type State struct {
	ID      string                     `json:"id"`
	User    string                     `json:"user"`
	Members map[string]json.RawMessage `json:"members"`
}

func (w *world) do(method, url, body string) []byte {
	w.t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := w.b.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		w.t.Fatalf("%s %s: %s: %s (%v)", method, url, resp.Status, text, err)
	}
	return text
}

func (w *world) post(side, path, body string) { w.t.Helper(); w.do("POST", side+path, body) }

func (w *world) set(side, key, value string) {
	w.t.Helper()
	w.post(side, "/set?key="+url.QueryEscape(key), value)
}

func (w *world) see(side string) (s State) {
	w.t.Helper()
	text := w.do("GET", side+"/session", "")
	if err := json.Unmarshal(text, &s); err != nil {
		w.t.Fatalf("%s: %v", text, err)
	}
	return s
}

func (w *world) want(side, user string, members map[string]string) State {
	w.t.Helper()
	s := w.see(side)
	if s.User != user {
		w.t.Errorf("the user is %q, expected %q", s.User, user)
	}
	for key, value := range members {
		if got := s.Members[key]; !sameJSON(string(got), value) {
			w.t.Errorf("%q is %s, expected %s", key, got, value)
		}
	}
	return s
}

// gone fails unless nobody is logged in on that side.
func (w *world) gone(side string, keys ...string) {
	w.t.Helper()
	s := w.want(side, "", nil)
	for _, key := range keys {
		if v, ok := s.Members[key]; ok {
			w.t.Errorf("%q is still %s", key, v)
		}
	}
}

func (w *world) cookies() string {
	u, _ := url.Parse(w.here)
	var b strings.Builder
	for _, c := range w.jar.Cookies(u) {
		b.WriteString(c.Name + "=" + c.Value + "; ")
	}
	return b.String()
}

// with runs f with other cookies than the browser's own.
func (w *world) with(cookies string, f func(*world)) {
	w.t.Helper()
	f(&world{w.t, w.there, w.here, w.jar, &http.Client{Timeout: 20 * time.Second, Transport: fixed(cookies)}})
}

type fixed string

func (c fixed) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Header.Set("Cookie", strings.TrimSuffix(string(c), "; "))
	return http.DefaultTransport.RoundTrip(r)
}

func sameJSON(a, b string) bool {
	if a == b {
		return true
	}
	read := func(s string) (v any, err error) {
		d := json.NewDecoder(strings.NewReader(s))
		d.UseNumber()
		return v, d.Decode(&v)
	}
	x, err1 := read(a)
	y, err2 := read(b)
	return err1 == nil && err2 == nil && reflect.DeepEqual(x, y)
}

func (p *Peer) loginThere(t *testing.T) {
	w := p.world(t)
	w.set(w.there, "cart", `["tea"]`)
	w.post(w.there, "/login?user=ada", "")
	s := w.want(w.here, "ada", map[string]string{"cart": `["tea"]`})
	w.set(w.here, "theme", `"dark"`)
	o := w.want(w.there, "ada", map[string]string{"cart": `["tea"]`, "theme": `"dark"`})
	if !p.NoIDChange && (s.ID == "" || o.ID != "" && o.ID != s.ID) {
		t.Errorf("the ID here is %q, there %q", s.ID, o.ID)
	}
	w.set(w.there, "cart", `["tea","milk"]`)
	w.want(w.here, "ada", map[string]string{"cart": `["tea","milk"]`, "theme": `"dark"`})
	if !p.NoDelete {
		w.post(w.here, "/delete?key=theme", "")
		if s := w.want(w.there, "ada", nil); s.Members["theme"] != nil {
			t.Errorf("theme is still %s there", s.Members["theme"])
		}
	}
	w.post(w.there, "/delete?key=cart", "")
	if s := w.want(w.here, "ada", nil); s.Members["cart"] != nil {
		t.Errorf("cart is still %s here", s.Members["cart"])
	}
}

func (p *Peer) loginHere(t *testing.T) {
	w := p.world(t)
	w.set(w.here, "cart", `["tea"]`)
	w.want(w.there, "", map[string]string{"cart": `["tea"]`})
	w.post(w.here, "/login?user=ada", "")
	w.want(w.there, "ada", map[string]string{"cart": `["tea"]`})
	w.set(w.there, "theme", `"dark"`)
	w.want(w.here, "ada", map[string]string{"cart": `["tea"]`, "theme": `"dark"`})
}

func (p *Peer) visitorThere(t *testing.T) {
	w := p.world(t)
	w.set(w.there, "cart", `["tea"]`)
	before := w.cookies()
	w.post(w.here, "/login?user=bob", "")
	w.want(w.there, "bob", map[string]string{"cart": `["tea"]`})
	w.want(w.here, "bob", map[string]string{"cart": `["tea"]`})
	if !p.NoIDChange {
		w.with(before, func(old *world) { old.gone(old.here, "cart") })
		w.with(before, func(old *world) { old.gone(old.there, "cart") })
	}
}

func (p *Peer) values(t *testing.T) {
	w := p.world(t)
	w.post(w.there, "/login?user=ada", "")
	for key, value := range p.Values {
		w.set(w.there, "there_"+key, value)
		w.set(w.here, "here_"+key, value)
	}
	want := map[string]string{}
	for key, value := range p.Values {
		want["there_"+key], want["here_"+key] = value, value
	}
	w.want(w.here, "ada", want)
	w.want(w.there, "ada", want)
}

func (p *Peer) newIDThere(t *testing.T) {
	w := p.world(t)
	w.set(w.there, "cart", `["tea"]`)
	w.want(w.here, "", map[string]string{"cart": `["tea"]`})
	before := w.cookies()
	w.post(w.there, "/regenerate", "")
	s := w.want(w.here, "", map[string]string{"fresh": "true"})
	if s.Members["cart"] != nil {
		t.Error("the cart came along")
	}
	if !p.NoIDChange {
		w.with(before, func(old *world) { old.gone(old.here, "cart", "fresh") })
	}
}

func (p *Peer) newIDHere(t *testing.T) {
	w := p.world(t)
	w.set(w.there, "cart", `["tea"]`)
	w.post(w.there, "/login?user=ada", "")
	before, id := w.cookies(), w.see(w.here).ID
	w.post(w.here, "/renew", "")
	s := w.want(w.here, "ada", map[string]string{"cart": `["tea"]`})
	w.want(w.there, "ada", map[string]string{"cart": `["tea"]`})
	if s.ID == id {
		t.Errorf("the ID is still %q", id)
	}
	if !p.NoIDChange {
		w.with(before, func(old *world) { old.gone(old.here, "cart") })
		w.with(before, func(old *world) { old.gone(old.there, "cart") })
	}
}

func (p *Peer) logoutThere(t *testing.T) {
	w := p.world(t)
	w.post(w.there, "/login?user=ada", "")
	w.want(w.here, "ada", nil)
	before := w.cookies()
	w.post(w.there, "/logout", "")
	w.gone(w.here)
	if !p.NoIDChange {
		w.with(before, func(old *world) { old.gone(old.here) })
	}
}

func (p *Peer) logoutHere(t *testing.T) {
	w := p.world(t)
	w.post(w.there, "/login?user=ada", "")
	w.set(w.there, "cart", `["tea"]`)
	before := w.cookies()
	w.post(w.here, "/logout", "")
	w.gone(w.there, "cart")
	w.gone(w.here, "cart")
	w.with(before, func(old *world) { old.gone(old.here, "cart") })
	if !p.NoIDChange { // there, a copy of a cookie that is a record lives on
		w.with(before, func(old *world) { old.gone(old.there, "cart") })
	}
	w.post(w.there, "/login?user=ada", "") // and once more
	w.want(w.here, "ada", nil)
}

func (p *Peer) forged(t *testing.T) {
	w := p.world(t)
	w.post(w.there, "/login?user=ada", "")
	good := strings.TrimSuffix(w.cookies(), "; ")
	for i := range len(good) {
		if i < len(good)-60 && i%7 != 0 || strings.ContainsRune("=; ", rune(good[i])) {
			continue
		}
		c := byte('A')
		if good[i] == c {
			c = 'B'
		}
		bad := good[:i] + string(c) + good[i+1:]
		w.with(bad, func(w *world) {
			if s := w.see(w.here); s.User != "" && w.see(w.there).User == "" {
				t.Errorf("a cookie that is refused there, logs in %q here: byte %d of %d", s.User, i, len(good))
			}
		})
	}
	w.want(w.here, "ada", nil)
}

// Writes of this side lose nothing, also while the other only reads.
func (p *Peer) parallel(t *testing.T) {
	w := p.world(t)
	w.post(w.there, "/login?user=ada", "")
	if p.Store.Format().Describe().InCookie {
		return // the last cookie wins
	}
	const writers = 12
	sides := [2]string{w.here, p.world(t).here} // two processes of ours: nothing is combined
	var group sync.WaitGroup
	for i := range writers {
		group.Go(func() {
			here := sides[i%2]
			w.set(here, fmt.Sprintf("k%d", i), fmt.Sprint(i))
			w.post(here, "/add?key=n", "1")
			if !p.Overwrites {
				w.see(w.there)
			}
		})
	}
	group.Wait()
	want := map[string]string{"n": fmt.Sprint(writers)}
	for i := range writers {
		want[fmt.Sprintf("k%d", i)] = fmt.Sprint(i)
	}
	w.want(w.here, "ada", want)
	w.want(w.there, "ada", want)
}

func (p *Peer) flash(t *testing.T) {
	w := p.world(t)
	w.post(w.there, "/flash?text=saved", "")
	w.set(w.here, "cart", `["tea"]`)
	if got := w.do("GET", w.there+"/flash", ""); string(got) != `["saved"]` {
		t.Errorf("flash is %s", got)
	}
	w.want(w.here, "", map[string]string{"cart": `["tea"]`})
	if got := w.do("GET", w.there+"/flash", ""); string(got) != `[]` {
		t.Errorf("a second time, flash is %s", got)
	}
}

// A request there that has read the session before its end writes it back after
// it. Here it stays ended.
func (p *Peer) slow(t *testing.T) {
	w := p.world(t)
	w.post(w.there, "/login?user=ada", "")
	before := w.cookies()
	reached, release := make(chan bool), make(chan bool)
	gate := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		reached <- true
		<-release
	}))
	defer gate.Close()
	done := make(chan bool)
	go w.with(before, func(slow *world) {
		defer close(done)
		slow.post(slow.there, "/slow?key=late&gate="+url.QueryEscape(gate.URL), `"x"`)
	})
	<-reached
	w.post(w.here, "/logout", "")
	close(release)
	<-done
	w.with(before, func(old *world) { old.gone(old.here, "late") })
	w.gone(w.here, "late")
}

// App is an application of ours that answers the same requests as the others.
func App(m *sojourn.Manager) http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, f func(r *http.Request, s *sojourn.Session, key string, body []byte) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			s, err := sojourn.From(r.Context())
			var body []byte
			if err == nil {
				body, err = io.ReadAll(r.Body)
			}
			var answer any = struct{}{}
			if err == nil {
				answer, err = f(r, s, r.URL.Query().Get("key"), bytes.TrimSpace(body))
			}
			if err != nil {
				http.Error(w, err.Error(), 500)
				return
			}
			_ = json.NewEncoder(w).Encode(answer)
		})
	}
	empty := struct{}{}
	handle("GET /session", func(r *http.Request, s *sojourn.Session, _ string, _ []byte) (any, error) {
		st, err := s.Status(r.Context())
		if err != nil {
			return nil, err
		}
		members, _, err := s.Members(r.Context())
		return State{ID: string(st.ID), User: st.Owner, Members: members}, err
	})
	handle("POST /set", func(r *http.Request, _ *sojourn.Session, key string, body []byte) (any, error) {
		return empty, sojourn.Key[json.RawMessage](key).Set(r.Context(), body)
	})
	handle("POST /delete", func(r *http.Request, _ *sojourn.Session, key string, _ []byte) (any, error) {
		return empty, sojourn.Key[json.RawMessage](key).Delete(r.Context())
	})
	handle("POST /add", func(r *http.Request, _ *sojourn.Session, key string, _ []byte) (any, error) {
		_, err := sojourn.Counter(key).Add(r.Context(), 1)
		return empty, err
	})
	handle("POST /login", func(r *http.Request, s *sojourn.Session, _ string, _ []byte) (any, error) {
		return empty, s.Login(r.Context(), r.URL.Query().Get("user"))
	})
	handle("POST /renew", func(r *http.Request, s *sojourn.Session, _ string, _ []byte) (any, error) {
		return empty, s.RenewNow(r.Context())
	})
	handle("POST /logout", func(r *http.Request, s *sojourn.Session, _ string, _ []byte) (any, error) {
		return empty, s.Logout(r.Context())
	})
	return mux
}
