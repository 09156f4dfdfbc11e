package format_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/format/expressformat"
	"github.com/sojournhq/sojourn/live"
	"github.com/sojournhq/sojourn/store/memstore"
	"github.com/sojournhq/sojourn/webapi"
)

// The web API and live tabs work on sessions of another system as on ours: a page
// sees its status and data, and its connection ends with the session, wherever that
// ends.
func TestPagesOfAnotherSystem(t *testing.T) {
	keep := newShelf()
	store, err := expressformat.New(keep, memstore.New(nil), &expressformat.Options{Secrets: []string{"secret"}})
	if err != nil {
		t.Fatal(err)
	}
	hub, err := live.New(&live.Options{Recheck: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	m, err := sojourn.New(store, &sojourn.Options{Observers: []sojourn.Observer{hub}, InsecureSkipOriginCheck: true, ErrorHandler: webapi.ErrorHandler})
	if err != nil {
		t.Fatal(err)
	}
	api, err := webapi.New(m, &webapi.Options{Live: hub, Readable: []string{"cart"}, Writable: []string{"cart"}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(m.Handler(api))
	defer server.Close()
	defer hub.Drain(context.Background())
	ask := func(id, method, path, body string, header ...string) (int, string, http.Header) {
		t.Helper()
		req, err := http.NewRequest(method, server.URL+"/_session/v1/"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Cookie", store.Reveal(id))
		req.Header.Set("X-Session-Csrf", "1")
		req.Header.Set("Content-Type", "application/json")
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(text), resp.Header
	}
	expires := time.Now().Add(time.Hour)
	for _, id := range []string{"one", "two", "three"} {
		keep.put(id, record, expires)
	}
	var status map[string]any
	if code, text, _ := ask("one", "GET", "status", ""); code != 200 || json.Unmarshal([]byte(text), &status) != nil || status["state"] != "active" {
		t.Errorf("%d %s", code, text)
	}
	code, text, h := ask("one", "GET", "data", "")
	if code != 200 {
		t.Fatalf("%d %s", code, text)
	}
	revision := h.Get("ETag")
	if code, text, h = ask("one", "PUT", "data/cart", `["tea"]`, "If-Match", revision); code/100 != 2 || !strings.Contains(keep.get("one"), `"cart":["tea"]`) {
		t.Errorf("%d %s: %s", code, text, keep.get("one"))
	}
	if code, text, _ = ask("one", "PUT", "data/cart", `["milk"]`, "If-Match", revision); code != 412 {
		t.Errorf("with an old revision: %d %s", code, text)
	}
	next := h.Get("ETag")
	keep.put("one", strings.Replace(keep.get("one"), `"n":1.0`, `"n":2`, 1), expires) // Express writes
	if code, text, _ = ask("one", "PUT", "data/cart", `["milk"]`, "If-Match", next); code != 412 {
		t.Errorf("with a revision from before Express wrote: %d %s", code, text)
	}
	_, _, h = ask("one", "GET", "data", "")
	if code, text, _ = ask("one", "PUT", "data/cart", `["milk"]`, "If-Match", h.Get("ETag")); code/100 != 2 {
		t.Errorf("%d %s", code, text)
	}

	listen := func(id string) *bufio.Scanner {
		req, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+"/_session/v1/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Cookie", store.Reveal(id))
		resp, err := http.DefaultClient.Do(req)
		if err != nil || resp.StatusCode != 200 {
			t.Fatalf("%v %v", resp, err)
		}
		t.Cleanup(func() { resp.Body.Close() })
		s := bufio.NewScanner(resp.Body)
		s.Scan() // connected
		return s
	}
	ends := func(what string, s *bufio.Scanner) {
		t.Helper()
		begin, said := time.Now(), ""
		for s.Scan() {
			said += s.Text() + "\n"
		}
		if time.Since(begin) > 8*time.Second || !strings.Contains(said, "session.end") && !strings.Contains(said, "4001") {
			t.Errorf("%s: after %v: %s", what, time.Since(begin), said)
		}
	}
	here := listen("two")
	if err := m.Revoke(t.Context(), "two", sojourn.ReasonRevoked); err != nil {
		t.Fatal(err)
	}
	ends("ended here", here)
	there := listen("three")
	if err := keep.Delete(t.Context(), "sess:three"); err != nil {
		t.Fatal(err)
	}
	ends("ended there", there)
}
