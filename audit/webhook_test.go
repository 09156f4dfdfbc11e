package audit_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/audit"
)

const secretText = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

func secret(t testing.TB) audit.Secret {
	t.Helper()
	s, err := audit.ParseSecret(secretText)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A receiver verifies what it gets and answers as told.
type receiver struct {
	t      *testing.T
	mu     sync.Mutex
	got    []audit.Record // accepted ones
	ids    map[string]int // attempts of each
	answer func(n int, w http.ResponseWriter, r *http.Request) (accepted bool)
	n      int
}

func (rc *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if err := audit.Verify(secret(rc.t), r.Header, body, time.Now()); err != nil {
		rc.t.Error(err)
	}
	if r.Method != "POST" || r.Header.Get("Content-Type") != "application/json" {
		rc.t.Errorf("%s %s", r.Method, r.Header.Get("Content-Type"))
	}
	var m struct {
		Type, Timestamp string
		Data            audit.Record
	}
	if err := json.Unmarshal(body, &m); err != nil || m.Timestamp != m.Data.Time || !strings.HasSuffix(m.Type, "."+m.Data.Event) {
		rc.t.Errorf("%s: %v", body, err)
	}
	rc.mu.Lock()
	rc.n++
	n := rc.n
	rc.ids[r.Header.Get("Webhook-Id")]++
	rc.mu.Unlock()
	if rc.answer != nil && !rc.answer(n, w, r) {
		return
	}
	rc.mu.Lock()
	rc.got = append(rc.got, m.Data)
	rc.mu.Unlock()
}

func (rc *receiver) accepted() []audit.Record {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	return append([]audit.Record(nil), rc.got...)
}

func serve(t *testing.T, answer func(n int, w http.ResponseWriter, r *http.Request) bool) (*receiver, *httptest.Server) {
	rc := &receiver{t: t, ids: map[string]int{}, answer: answer}
	srv := httptest.NewTLSServer(rc)
	t.Cleanup(srv.Close)
	return rc, srv
}

func hook(t *testing.T, srv *httptest.Server, o audit.WebhookOptions) *audit.Webhook {
	t.Helper()
	o.Transport = srv.Client().Transport
	if o.Backoff == 0 {
		o.Backoff = 2 * time.Millisecond
	}
	w, err := audit.OpenWebhook(srv.URL+"/hook?key=hidden", secret(t), &o)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestWebhookDelivers(t *testing.T) {
	rc, srv := serve(t, nil)
	w := hook(t, srv, audit.WebhookOptions{})
	for i := range 50 {
		w.Observe(t.Context(), event(i))
	}
	w.Observe(t.Context(), sojourn.Event{Kind: sojourn.EventChanged}) // everyday use
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	seen := map[uint64]bool{}
	for _, r := range rc.accepted() {
		seen[r.Seq] = true
	}
	if s := w.Stats(); len(seen) != 50 || s.Written != 50 || s.Dropped != 0 {
		t.Errorf("%d arrived, %+v", len(seen), s)
	}
}

// Of a receiver that fails two of three times every record arrives once, under one
// ID for all its attempts.
func TestWebhookFlaky(t *testing.T) {
	rc, srv := serve(t, func(n int, w http.ResponseWriter, _ *http.Request) bool {
		switch n % 3 {
		case 0:
			return true
		case 1:
			w.WriteHeader([]int{500, 502, 503, 429, 408}[n/3%5])
		case 2:
			panic(http.ErrAbortHandler) // the connection breaks
		}
		return false
	})
	w := hook(t, srv, audit.WebhookOptions{Attempts: 100, MaxBackoff: 4 * time.Millisecond})
	for i := range 20 {
		w.Observe(t.Context(), event(i))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	seen := map[uint64]int{}
	for _, r := range rc.accepted() {
		seen[r.Seq]++
	}
	if len(seen) != 20 || len(rc.ids) != 20 || w.Stats().Written != 20 {
		t.Errorf("%v of %v, %+v", seen, rc.ids, w.Stats())
	}
}

// What a receiver refuses for good is not repeated, but counted and told when it
// accepts again; the URL, which may hold a secret, is in no text.
func TestWebhookRefused(t *testing.T) {
	for _, code := range []int{400, 401, 404, 410, 301, 302, 307, 308} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			elsewhere := 0
			other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere++ }))
			defer other.Close()
			rc, srv := serve(t, func(n int, w http.ResponseWriter, _ *http.Request) bool {
				if n == 1 {
					w.Header().Set("Location", other.URL)
					w.WriteHeader(code)
				}
				return n > 1
			})
			var said bytes.Buffer
			w := hook(t, srv, audit.WebhookOptions{Parallel: 1, Options: audit.Options{Logger: slog.New(slog.NewTextHandler(&said, nil))}})
			w.Observe(t.Context(), event(1))
			w.Observe(t.Context(), event(2))
			if err := w.Close(); err != nil {
				t.Error(err)
			}
			got := rc.accepted()
			if len(got) != 2 || got[0].Seq != 2 || got[1].Event != "dropped" || got[1].Count != 1 || rc.n != 3 || elsewhere != 0 {
				t.Errorf("%+v after %d attempts, %d elsewhere", got, rc.n, elsewhere)
			}
			if !strings.Contains(said.String(), fmt.Sprint(code)) || strings.Contains(said.String(), "hidden") {
				t.Errorf("the operator reads %s", said.String())
			}
		})
	}
}

// A slow receiver holds no request up, and its queue has an end.
func TestWebhookSlow(t *testing.T) {
	free := make(chan struct{})
	rc, srv := serve(t, func(int, http.ResponseWriter, *http.Request) bool { <-free; return true })
	w := hook(t, srv, audit.WebhookOptions{Parallel: 2, Options: audit.Options{Queue: 5}})
	begin := time.Now()
	for i := range 100 {
		w.Observe(t.Context(), event(i))
	}
	if d := time.Since(begin); d > time.Second {
		t.Errorf("the requests waited %v", d)
	}
	if n := w.Stats().Dropped; n < 90 {
		t.Errorf("%d dropped", n)
	}
	close(free)
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	var lost, events uint64
	for _, r := range rc.accepted() {
		if lost += r.Count; r.Event != "dropped" {
			events++
		}
	}
	if events+lost != 100 || lost != w.Stats().Dropped {
		t.Errorf("%d arrived, %d told as lost, %+v", events, lost, w.Stats())
	}
}

// A receiver that is gone does not keep a server from ending.
func TestWebhookCloseDoesNotHang(t *testing.T) {
	gone := make(chan struct{})
	_, srv := serve(t, func(_ int, _ http.ResponseWriter, r *http.Request) bool {
		select {
		case <-r.Context().Done():
		case <-gone:
		}
		return false
	})
	defer close(gone)
	w := hook(t, srv, audit.WebhookOptions{Options: audit.Options{CloseTimeout: 50 * time.Millisecond}})
	for i := range 9 {
		w.Observe(t.Context(), event(i))
	}
	begin := time.Now()
	err := w.Close()
	if err == nil || !strings.Contains(err.Error(), "9 records") || strings.Contains(err.Error(), "hidden") || time.Since(begin) > 5*time.Second {
		t.Errorf("%v after %v", err, time.Since(begin))
	}
	w.Observe(t.Context(), event(10)) // no panic
}

func TestOpenWebhookRefuses(t *testing.T) {
	for what, c := range map[string]struct {
		url string
		s   audit.Secret
		o   *audit.WebhookOptions
	}{
		"no TLS":         {"http://localhost/", secret(t), nil},
		"no URL":         {"", secret(t), nil},
		"no host":        {"https:///x", secret(t), nil},
		"another scheme": {"ftp://example.com", secret(t), nil},
		"a user":         {"https://a:hidden@example.com", secret(t), nil},
		"no secret":      {"https://example.com", audit.Secret{}, nil},
		"attempts":       {"https://example.com", secret(t), &audit.WebhookOptions{Attempts: -1}},
		"malformed":      {"https://example.com/%zz?hidden", secret(t), nil},
	} {
		if _, err := audit.OpenWebhook(c.url, c.s, c.o); !errors.Is(err, sojourn.ErrInvalid) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, text := range []string{"", " ", "hidden", "whsec_hidden", "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 32)),
		"whsec_" + base64.StdEncoding.EncodeToString([]byte("too short")), secretText + " x", secretText[6:]} {
		if _, err := audit.ParseSecret(text); !errors.Is(err, sojourn.ErrInvalid) || text != "" && text != " " && strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
