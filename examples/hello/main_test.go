package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"testing"
)

func TestEachVisitorIsCounted(t *testing.T) {
	h, err := handler()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	defer server.Close()

	for range 2 { // two visitors, each with cookies of their own
		jar, _ := cookiejar.New(nil)
		visitor := http.Client{Jar: jar}
		for n := 1; n <= 3; n++ {
			resp, err := visitor.Get(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if want := fmt.Sprintf("Hello! This is visit %d.\n", n); string(body) != want {
				t.Errorf("%s %q, expected %q", resp.Status, body, want)
			}
		}
	}
}
