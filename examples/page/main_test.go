package main

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// What page.html asks for, asked for here.
func TestWhatThePageAsksFor(t *testing.T) {
	h, err := handler()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	defer server.Close()
	jar, _ := cookiejar.New(nil)
	client := http.Client{Jar: jar}
	ask := func(method, path, body, ifMatch, want string) string {
		t.Helper()
		r, err := http.NewRequest(method, server.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Session-CSRF", "1")
		if body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		if ifMatch != "" {
			r.Header.Set("If-Match", ifMatch)
		}
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		got, _ := io.ReadAll(resp.Body)
		if !strings.Contains(resp.Status+" "+string(got), want) {
			t.Errorf("%s %s: %s %s, expected %q", method, path, resp.Status, got, want)
		}
		return string(got)
	}

	ask("GET", "/_session/v1/status", "", "", `"state":"none"`)
	page := ask("GET", "/", "", "", "200 OK")
	script := regexp.MustCompile(`import .* from ("[^"]+");`).FindStringSubmatch(page)
	if script == nil {
		t.Fatalf("the page does not load the SDK: %s", page)
	}
	url, err := strconv.Unquote(strings.ReplaceAll(script[1], `\/`, "/"))
	if err != nil {
		t.Fatal(err)
	}
	ask("GET", url, "", "", "createSession")

	ask("GET", "/_session/v1/status", "", "", `"idle_ms":300000`)
	ask("GET", "/_session/v1/data", "", "", `"data":{"visits":1}`)
	ask("PUT", "/_session/v1/data/note", `"milk"`, `"1"`, `"rev":2`)
	ask("PUT", "/_session/v1/data/note", `"bread"`, `"1"`, "rev_conflict")
	ask("PUT", "/_session/v1/data/visits", `99`, `"2"`, "not_writable")
	ask("GET", "/_session/v1/data", "", "", `{"note":"milk","visits":1}`)
	ask("DELETE", "/_session/v1/", "", "", "204")
	ask("GET", "/_session/v1/status", "", "", `"state":"none"`)
}
