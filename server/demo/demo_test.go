package demo

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/memstore"
)

// A site is the demo below its manager.
type site struct {
	http.Handler
	m *sojourn.Manager
}

func newSite(t *testing.T, opt *sojourn.Options) site {
	t.Helper()
	m, err := sojourn.New(memstore.New(nil), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	h, err := New(m, nil)
	if err != nil {
		t.Fatal(err)
	}
	return site{m.Handler(h), m}
}

// A visitor keeps the cookie.
type visitor struct {
	site
	cookie string
}

func (v *visitor) do(method, path, body string) (status int, answer map[string]any, h http.Header) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if v.cookie != "" {
		r.Header.Set("Cookie", v.cookie)
	}
	w := httptest.NewRecorder()
	v.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		v.cookie = c.Name + "=" + c.Value
	}
	json.Unmarshal(w.Body.Bytes(), &answer)
	return w.Code, answer, w.Header()
}

func TestVisit(t *testing.T) {
	v := &visitor{site: newSite(t, nil)}
	want := func(method, path, body string, status int, text string) {
		t.Helper()
		got, answer, _ := v.do(method, path, body)
		b, _ := json.Marshal(answer)
		if got != status || !strings.Contains(string(b), text) {
			t.Errorf("%s %s: %d %s, want %d with %s", method, path, got, b, status, text)
		}
	}
	want("GET", "/demo/me", "", 200, `"user":null`)
	want("POST", "/demo/visit", `{}`, 200, `"visits":1`)
	anonymous := v.cookie
	want("POST", "/demo/cart", `{"item":"tea","quantity":2}`, 200, `"tea":2`)
	want("POST", "/demo/cart", `{"item":"tea","quantity":99}`, 200, `"tea":99`)
	want("POST", "/demo/note", `{"note":"hello"}`, 200, `"note":"hello"`)
	want("POST", "/demo/login", `{"user":"ada","remember":false}`, 200, `"Ada"`)
	if v.cookie == anonymous {
		t.Error("login kept the token")
	}
	want("GET", "/demo/me", "", 200, `"name":"Ada"`)
	want("GET", "/demo/me", "", 200, `"absolute_ms":43200000`)
	want("POST", "/demo/visit", `{}`, 200, `"visits":2`) // came along
	v.cookie = anonymous
	want("POST", "/demo/visit", `{}`, 401, `"ended"`)
}

func TestRefusals(t *testing.T) {
	s := newSite(t, nil)
	for _, c := range []struct {
		path, body string
		status     int
		code       string
	}{
		{"/demo/login", `{"user":"mallory","remember":false}`, 400, "unknown_user"},
		{"/demo/login", `{"user":"ada","admin":true}`, 400, "bad_json"},
		{"/demo/login", `ada`, 400, "bad_json"},
		{"/demo/cart", `{"item":"yacht","quantity":1}`, 400, "bad_item"},
		{"/demo/cart", `{"item":"tea","quantity":0}`, 400, "bad_item"},
		{"/demo/cart", `{"item":"tea","quantity":100}`, 400, "bad_item"},
		{"/demo/note", `{"note":"` + strings.Repeat("é", 2001) + `"}`, 400, "bad_note"},
		{"/demo/note", `{"note":"` + strings.Repeat("a", 20_000) + `"}`, 400, "bad_json"},
		{"/demo/nothing", `{}`, 404, "not_found"},
		{"/demo/cookie", `{}`, 404, "not_found"},
	} {
		v := &visitor{site: s}
		status, answer, _ := v.do("POST", c.path, c.body)
		if status != c.status || answer["code"] != c.code {
			t.Errorf("POST %s %.40s: %d %v, want %d %s", c.path, c.body, status, answer["code"], c.status, c.code)
		}
		if v.cookie != "" {
			t.Errorf("POST %s %.40s: a refusal began a session", c.path, c.body)
		}
	}
	r := httptest.NewRequest("POST", "/demo/login", strings.NewReader(`{"user":"ada","remember":false}`))
	r.Header.Set("Content-Type", "text/plain") // what a form of another site can send
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code != 415 {
		t.Errorf("a login as text/plain: %d, want 415", w.Code)
	}
}

// What the panel explains is what the server sends.
func TestCookieIsExplainedAsItIs(t *testing.T) {
	for name, opt := range map[string]*sojourn.Options{
		"default":     nil,
		"insecure":    {Cookie: sojourn.Cookie{Insecure: true}},
		"domain":      {Cookie: sojourn.Cookie{Domain: "example.com"}},
		"strict":      {Cookie: sojourn.Cookie{SameSite: http.SameSiteStrictMode}},
		"partitioned": {Cookie: sojourn.Cookie{SameSite: http.SameSiteNoneMode, Partitioned: true}},
		"plain name":  {Cookie: sojourn.Cookie{Name: "sid", Path: "/demo"}},
		"lasting":     {Policy: sojourn.Policy{CookieLifetime: time.Hour}},
	} {
		for _, remember := range []bool{false, true} {
			v := &visitor{site: newSite(t, opt)}
			body, query := `{"user":"ada","remember":false}`, "0"
			if remember {
				body, query = `{"user":"ada","remember":true}`, "1"
			}
			_, _, h := v.do("POST", "/demo/login", body)
			sent := h.Get("Set-Cookie")
			value, rest, _ := strings.Cut(sent, ";")
			cookieName, _, _ := strings.Cut(value, "=")

			_, answer, _ := v.do("GET", "/demo/cookie?remember="+query, "")
			if want := cookieName + "=…;" + rest; answer["line"] != want {
				t.Errorf("%s, remember %v: explained as %q, sent as %q", name, remember, answer["line"], want)
			}
			for _, a := range answer["attributes"].([]any) {
				if a.(map[string]any)["why"] == "" {
					t.Errorf("%s: %v has no reason", name, a)
				}
			}
		}
	}
}

func TestNotFound(t *testing.T) {
	s := newSite(t, nil)
	r := httptest.NewRequest("GET", "/nowhere", nil)
	r.Header.Set("Accept", "text/html")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code != 404 || !strings.Contains(w.Body.String(), "Nobody stays here") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
