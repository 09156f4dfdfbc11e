package main

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// A browser keeps cookies and follows redirects.
type browser struct {
	t    *testing.T
	url  string
	http http.Client
}

func newBrowser(t *testing.T, url string) *browser {
	jar, _ := cookiejar.New(nil)
	return &browser{t, url, http.Client{Jar: jar}}
}

func (b *browser) get() string {
	return b.read(b.http.Get(b.url))
}

func (b *browser) post(path string, fields ...string) string {
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return b.read(b.http.PostForm(b.url+path, form))
}

func (b *browser) read(resp *http.Response, err error) string {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(body)
}

func (b *browser) sees(page, want string) {
	b.t.Helper()
	if !strings.Contains(page, want) {
		b.t.Errorf("expected %q on the page:\n%s", want, page)
	}
}

func TestDevices(t *testing.T) {
	h, err := handler()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	defer server.Close()
	laptop, phone, stranger := newBrowser(t, server.URL), newBrowser(t, server.URL), newBrowser(t, server.URL)

	laptop.sees(laptop.get(), "<h1>Log in</h1>")
	laptop.sees(laptop.post("/login", "user", "ada", "password", "guess"), "wrong password")
	laptop.sees(laptop.post("/login", "user", "ada", "password", "sesame"), "Hello, ada")
	phone.sees(phone.post("/login", "user", "ada", "password", "sesame", "remember", "on"), "2 devices")

	page := laptop.get()
	laptop.sees(page, ", remembered")
	id := regexp.MustCompile(`name="id" value="(.+?)"`).FindStringSubmatch(page)[1]
	stranger.sees(stranger.post("/revoke", "id", id), "no such device")
	stranger.post("/login", "user", "bob", "password", "sesame")
	stranger.sees(stranger.post("/revoke", "id", id), "no such device")
	phone.sees(phone.get(), "Hello, ada")

	laptop.sees(laptop.post("/revoke", "id", id), "1 device:")
	phone.sees(phone.get(), "<h1>Log in</h1>")
	phone.sees(phone.post("/login", "user", "ada", "password", "sesame"), "2 devices")
	phone.sees(phone.post("/revoke-others"), "1 device:")
	laptop.sees(laptop.get(), "<h1>Log in</h1>")
	phone.sees(phone.post("/logout"), "<h1>Log in</h1>")
	stranger.sees(stranger.get(), "Hello, bob")
}

func TestRememberOutlivesTheBrowser(t *testing.T) {
	h, err := handler()
	if err != nil {
		t.Fatal(err)
	}
	for _, remember := range []string{"", "on"} {
		form := url.Values{"user": {"ada"}, "password": {"sesame"}, "remember": {remember}}
		r := httptest.NewRequest("POST", "/login", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if cookie := w.Result().Cookies()[0]; (cookie.MaxAge > 0) != (remember == "on") {
			t.Errorf("remember %q gave a cookie with Max-Age %d", remember, cookie.MaxAge)
		}
	}
}
