package audit_test

import (
	"bytes"
	"context"
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
	"testing/synctest"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/audit"
	"github.com/sojournhq/sojourn/store/memstore"
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

// answers is a transport that answers without a network, and notes when.
type answers struct {
	mu    sync.Mutex
	times []time.Time
	codes []int
	after string
}

func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.times = append(a.times, time.Now())
	code := a.codes[min(len(a.times), len(a.codes))-1]
	if code == 0 {
		return nil, errors.New("no route to host")
	}
	return &http.Response{StatusCode: code, Header: http.Header{"Retry-After": {a.after}}, Body: http.NoBody, Request: r}, nil
}

func TestWebhookBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &answers{codes: []int{0, 500}}
		w, err := audit.OpenWebhook("https://audit.example.com", secret(t), &audit.WebhookOptions{Transport: a, Parallel: 1, Attempts: 6,
			Backoff: time.Second, MaxBackoff: 4 * time.Second, Options: audit.Options{CloseTimeout: time.Hour}})
		if err != nil {
			t.Fatal(err)
		}
		w.Observe(t.Context(), event(1))
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(a.times) != 6 || w.Stats().Dropped != 1 {
			t.Fatalf("%d attempts, %+v", len(a.times), w.Stats())
		}
		for i, full := range []time.Duration{1, 2, 4, 4, 4} {
			wait := a.times[i+1].Sub(a.times[i])
			if full *= time.Second; wait < full/2 || wait > full+time.Millisecond {
				t.Errorf("wait %d is %v, expected %v to %v", i+1, wait, full/2, full)
			}
		}
		a.after, a.times, a.codes = "3", nil, []int{503} // what the receiver asks for, within bounds
		w.Observe(t.Context(), event(2))
		time.Sleep(time.Minute)
		synctest.Wait()
		if wait := a.times[1].Sub(a.times[0]); wait != 3*time.Second {
			t.Errorf("Retry-After: 3 made it wait %v", wait)
		}
		a.mu.Lock()
		a.codes = []int{204}
		a.mu.Unlock()
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
}

// The signature is the one of Standard Webhooks: a vector of its libraries.
func TestSignatureExample(t *testing.T) {
	h := http.Header{}
	h.Set("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek")
	h.Set("webhook-timestamp", "1614265330")
	h.Set("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
	if err := audit.Verify(secret(t), h, []byte(`{"test": 2432232314}`), time.Unix(1614265330, 0)); err != nil {
		t.Error(err)
	}
}

func TestVerify(t *testing.T) {
	other := "whsec_" + base64.StdEncoding.EncodeToString([]byte("another secret, rather random"))
	both, err := audit.ParseSecret(secretText + " " + other)
	if err != nil {
		t.Fatal(err)
	}
	late, _ := audit.ParseSecret(other)
	var h http.Header
	var body []byte
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		h = r.Header.Clone()
		body, _ = io.ReadAll(r.Body)
	}))
	defer srv.Close()
	w, err := audit.OpenWebhook(srv.URL, both, &audit.WebhookOptions{InsecureHTTP: true})
	if err != nil {
		t.Fatal(err)
	}
	w.Observe(t.Context(), event(1))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for what, s := range map[string]audit.Secret{"old": secret(t), "new": late, "both": both} {
		if err := audit.Verify(s, h, body, now); err != nil {
			t.Errorf("the %s secret: %v", what, err)
		}
	}
	unknown, _ := audit.ParseSecret("whsec_" + base64.StdEncoding.EncodeToString([]byte("a third secret, quite unknown")))
	changed := func(key, value string) http.Header { c := h.Clone(); c.Set(key, value); return c }
	for what, err := range map[string]error{
		"a wrong secret": audit.Verify(unknown, h, body, now),
		"no secret":      audit.Verify(audit.Secret{}, h, body, now),
		"a changed body": audit.Verify(both, h, append(bytes.Clone(body), ' '), now),
		"a changed ID":   audit.Verify(both, changed("Webhook-Id", "x"), body, now),
		"a changed time": audit.Verify(both, changed("Webhook-Timestamp", fmt.Sprint(now.Unix()+1)), body, now),
		"no signature":   audit.Verify(both, changed("Webhook-Signature", ""), body, now),
		"an old one":     audit.Verify(both, h, body, now.Add(6*time.Minute)),
		"an early one":   audit.Verify(both, h, body, now.Add(-6*time.Minute)),
		"no time":        audit.Verify(both, changed("Webhook-Timestamp", "soon"), body, now),
	} {
		if !errors.Is(err, sojourn.ErrInvalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
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

func TestSecretsNeverPrint(t *testing.T) {
	s := secret(t)
	in := struct {
		S Secretly
		s audit.Secret
		p *audit.Secret
	}{Secretly{s}, s, &s}
	var out strings.Builder
	for _, v := range []any{s, &s, in, &in} {
		fmt.Fprintf(&out, "%v %+v %#v %s %x %d %q", v, v, v, v, v, v, v)
		b, _ := json.Marshal(v)
		out.Write(b)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "v", v)
	}
	raw, _ := base64.StdEncoding.DecodeString(secretText[6:])
	for _, form := range []string{secretText[6:16], fmt.Sprintf("%x", raw[:5]), strings.Trim(fmt.Sprint(raw[:5]), "[]"), string(raw[:5])} {
		if strings.Contains(out.String(), form) {
			t.Errorf("it shows as %q", form)
		}
	}
}

type Secretly struct{ audit.Secret }

// No token reaches either kind of audit, whatever happens to sessions.
func TestP6NoTokenInTheAudit(t *testing.T) {
	var line sink
	kinds := []sojourn.EventKind{sojourn.EventCreated, sojourn.EventRenewed, sojourn.EventExtended, sojourn.EventChanged, sojourn.EventEnded,
		sojourn.EventOwnerRevoked, sojourn.EventReplayed, sojourn.EventRejected}
	l := open(t, &line, &audit.Options{Kinds: kinds})
	rc, srv := serve(t, nil)
	var posted bytes.Buffer
	var mu sync.Mutex
	rc.answer = func(_ int, _ http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		fmt.Fprint(&posted, r.Header)
		mu.Unlock()
		return true
	}
	w := hook(t, srv, audit.WebhookOptions{Options: audit.Options{Kinds: kinds}})
	tokens := exercise(t, l, w)
	if err := errors.Join(l.Close(), w.Close()); err != nil {
		t.Fatal(err)
	}
	for _, r := range rc.accepted() {
		fmt.Fprintf(&posted, "%+v", r)
	}
	seen := map[string]bool{}
	list, _ := line.records(t)
	for _, r := range list {
		seen[r.Event] = true
		if r.Event == "ended" && (r.IP == "" || r.UserAgent == "") && r.Reason == "logout" {
			t.Errorf("a logout without its where from: %+v", r)
		}
	}
	for _, k := range []string{"created", "changed", "ended", "rejected", "owner-revoked"} {
		if !seen[k] {
			t.Errorf("nothing of %s: %v", k, seen)
		}
	}
	for _, token := range tokens {
		for _, text := range []string{line.text(), posted.String()} {
			if strings.Contains(text, token[30:]) || strings.Contains(text, "hidden-value") {
				t.Error("a token or a value shows")
			}
		}
	}
	if len(tokens) < 2 || !strings.Contains(line.text(), tokens[0][:28]) {
		t.Error("the test saw nothing")
	}
}

// exercise lets a visitor log in, write, try a wrong secret, log out, and be revoked.
func exercise(t *testing.T, observers ...sojourn.Observer) (tokens []string) {
	m, err := sojourn.New(memstore.New(nil), &sojourn.Options{Observers: observers})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	cookie := ""
	do := func(f func(context.Context, *sojourn.Session) error) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Cookie", cookie)
		r.Header.Set("User-Agent", "test/1")
		w := httptest.NewRecorder()
		m.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			s, err := sojourn.From(r.Context())
			if err == nil {
				err = f(r.Context(), s)
			}
			if err != nil {
				t.Error(err)
			}
		})).ServeHTTP(w, r)
		if c := w.Header().Get("Set-Cookie"); c != "" {
			cookie, _, _ = strings.Cut(c, ";")
			if _, token, _ := strings.Cut(cookie, "="); len(token) == 56 {
				tokens = append(tokens, token)
			}
		}
	}
	set := func(ctx context.Context, _ *sojourn.Session) error {
		return sojourn.Key[string]("k").Set(ctx, "hidden-value")
	}
	login := func(ctx context.Context, s *sojourn.Session) error { return s.Login(ctx, "ada") }
	do(set)
	do(login)
	do(func(ctx context.Context, s *sojourn.Session) error { return s.Extend(ctx) })
	good := cookie
	cookie = cookie[:len(cookie)-4] + "AAAA"
	do(func(ctx context.Context, s *sojourn.Session) error { _, err := s.Owner(ctx); return err })
	cookie = good
	do(func(ctx context.Context, s *sojourn.Session) error { return s.RenewNow(ctx) })
	do(func(ctx context.Context, s *sojourn.Session) error { return s.Logout(ctx) })
	cookie = ""
	do(login)
	if err := m.RevokeOwner(t.Context(), "ada"); err != nil {
		t.Error(err)
	}
	return tokens
}
