package main

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
)

func TestCart(t *testing.T) {
	h, err := handler()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	defer server.Close()
	jar, _ := cookiejar.New(nil)
	client := http.Client{Jar: jar}
	read := func(resp *http.Response, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return string(body)
	}
	add := func(client *http.Client, item string) string {
		return read(client.PostForm(server.URL+"/add", url.Values{"item": {item}}))
	}

	if page := read(client.Get(server.URL)); !strings.Contains(page, "nothing yet") {
		t.Errorf("a new visitor sees %s", page)
	}
	if page := add(&client, "apple"); !strings.Contains(page, "1 × apple") || !strings.Contains(page, "One apple added.") {
		t.Errorf("after the first apple: %s", page)
	}
	if page := read(client.Get(server.URL)); !strings.Contains(page, "1 × apple") || strings.Contains(page, "added") {
		t.Errorf("the message was to be shown once: %s", page)
	}

	// Clicks at the same time. Nothing is lost, although each writes the whole cart.
	tab := client
	tab.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	var clicks sync.WaitGroup
	for range 20 {
		clicks.Go(func() { add(&tab, "pear") })
	}
	clicks.Wait()
	if page := read(client.Get(server.URL)); !strings.Contains(page, "20 × pear") || !strings.Contains(page, "1 × apple") {
		t.Errorf("after 20 clicks at the same time: %s", page)
	}
}
