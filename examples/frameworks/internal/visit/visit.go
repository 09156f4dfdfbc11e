// Package visit tests that a handler counts and logs in, whatever routes it.
package visit

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"testing"
)

// Test visits h: counts, logs in with the count kept, logs out to a new count.
func Test(t *testing.T, h http.Handler) {
	t.Helper()
	server := httptest.NewServer(h)
	defer server.Close()
	jar, _ := cookiejar.New(nil)
	browser := http.Client{Jar: jar}
	home := func(want string) {
		t.Helper()
		resp, err := browser.Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if body, _ := io.ReadAll(resp.Body); string(body) != want {
			t.Errorf("%s %q, expected %q", resp.Status, body, want)
		}
	}
	post := func(path string) {
		t.Helper()
		before := cookie(jar, server.URL)
		resp, err := browser.PostForm(server.URL+path, url.Values{"user": {"ada"}})
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("POST %s: %s", path, resp.Status)
		}
		if cookie(jar, server.URL) == before {
			t.Errorf("POST %s left the cookie as it was", path)
		}
	}

	home("user \"\", visit 1\n")
	home("user \"\", visit 2\n")
	post("/login")
	home("user \"ada\", visit 3\n")
	post("/logout")
	home("user \"\", visit 1\n")
}

func cookie(jar http.CookieJar, page string) string {
	u, _ := url.Parse(page)
	for _, c := range jar.Cookies(u) {
		return c.Value
	}
	return ""
}
