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

// A browser keeps cookies, follows redirects and sends what its forms hold.
type browser struct {
	t    *testing.T
	url  string
	http http.Client
	html string
}

func (b *browser) read(resp *http.Response, err error) int {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	b.html = string(text)
	return resp.StatusCode
}

func (b *browser) post(path string, fields ...string) int {
	form := url.Values{}
	if m := regexp.MustCompile(`name="csrf_token" value="([^"]+)"`).FindStringSubmatch(b.html); m != nil {
		form.Set("csrf_token", m[1])
	}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return b.read(b.http.PostForm(b.url+path, form))
}

func (b *browser) shows(texts ...string) {
	b.t.Helper()
	for _, text := range texts {
		if !strings.Contains(b.html, text) {
			b.t.Fatalf("the page lacks %s:\n%s", text, b.html)
		}
	}
}

func TestStepUp(t *testing.T) {
	h, err := handler()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	defer server.Close()
	jar, _ := cookiejar.New(nil)
	b := &browser{t: t, url: server.URL, http: http.Client{Jar: jar}}
	b.post("/login", "user", "ada", "password", "sesame")
	b.shows(`id="owner">ada<`, `id="level">1<`)

	b.post("/send") // a password is not enough
	b.shows(`id="ask"`, `id="sent">0<`)
	if code := b.post("/code", "code", "000000"); code != 403 {
		t.Errorf("a wrong code: %d", code)
	}
	b.read(b.http.Get(b.url + "/"))
	b.post("/code", "code", "123456")
	b.shows(`id="level">2<`)
	b.post("/send")
	b.shows(`id="sent">1<`)

	b.html = "" // a form of another site has no token
	if code := b.post("/send"); code != 403 {
		t.Errorf("without the token: %d", code)
	}
	b.read(b.http.Get(b.url + "/"))
	b.shows(`id="sent">1<`)
}
