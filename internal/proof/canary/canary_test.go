package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/proof/overlay"
	"github.com/sojournhq/sojourn/store/memstore"
)

var log = filepath.Join("..", "..", "..", "bin", "canary", "log")

// noted is what the probe has noted so far; the test is skipped where there is none.
func noted(t *testing.T) report {
	t.Helper()
	if !strings.Contains(os.Getenv("GOFLAGS"), filepath.Join("bin", "canary")) {
		t.Skip("there is no probe: run scripts/test, or see this command's comment")
	}
	f, err := os.OpenFile(log, os.O_RDONLY|os.O_CREATE, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	found, err := read(f)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// letOut lets a token out in every way there is.
func letOut(token string) {
	token = purpose + token
	silent := slog.New(slog.NewTextHandler(io.Discard, nil))
	silent.Debug("not even a log line that nobody reads", "token", token)
	silent.Info("one that somebody may", "token", token)
	_ = fmt.Errorf("%w: token %s", errors.ErrUnsupported, token)
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err == nil {
		null.WriteString("a file: " + token)
		null.Close()
	}
	w := httptest.NewRecorder()
	w.Header().Set("Location", "/?token="+token)
	w.WriteHeader(http.StatusOK)
	io.WriteString(w, `{"token":"`+token+`"}`)
	httptest.NewRequest("GET", "/?token="+token, nil)
	for _, start := range []func(http.Handler) *httptest.Server{httptest.NewServer, httptest.NewTLSServer} {
		srv := start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))
		if r, err := srv.Client().Get(srv.URL + "/?token=" + token); err == nil {
			r.Body.Close()
		}
		srv.Close()
	}
}

// TestCanary lets a token out in every way there is, and wants each to be seen.
// scripts/test does so in every run, so that "0 hits" is known to mean something.
func TestCanary(t *testing.T) {
	before := noted(t)
	m, err := sojourn.New(memstore.New(nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	_, token, err := m.Create(t.Context(), "ada")
	if err != nil {
		t.Fatal(err)
	}
	letOut(token.Reveal())
	after := noted(t)
	for _, kind := range kinds {
		if after.planted[kind] <= before.planted[kind] {
			t.Errorf("a token got out by %s, and nobody noticed: %v", kind, after.planted)
		}
	}
}

// TestCanaryLetsThrough: a token in the headers that are for it is no hit.
func TestCanaryLetsThrough(t *testing.T) {
	before := len(noted(t).hits)
	m, err := sojourn.New(memstore.New(nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	srv := httptest.NewTLSServer(m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sojourn.Key[int]("k").Set(r.Context(), 1)
	})))
	defer srv.Close()
	cookie := ""
	for range 2 {
		r, _ := http.NewRequest("GET", srv.URL, nil)
		r.Header.Set("Cookie", cookie)
		answer, err := srv.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if c := answer.Header.Get("Set-Cookie"); c != "" {
			cookie, _, _ = strings.Cut(c, ";")
		}
	}
	if !strings.Contains(cookie, "sojourn=") {
		t.Fatalf("no cookie: %q", cookie)
	}
	if after := len(noted(t).hits); after != before {
		t.Errorf("%d hits more", after-before)
	}
}

func TestVerdict(t *testing.T) {
	all := ""
	for _, kind := range append([]string{"token"}, kinds...) {
		all += "COUNT 17 " + kind + " 1\nCOUNT 17 " + kind + " 4\nCOUNT 18 " + kind + " 1\n"
		if kind != "token" {
			all += "HIT " + kind + " " + purpose + "x<TOKEN>y\n\tgoroutine 1\n\n"
		}
	}
	for _, c := range []struct{ text, want string }{
		{all, ""},
		{strings.Replace(all, " tls ", " tsl ", -1), "no tls was ever seen"},
		{strings.Replace(all, purpose, "other", 1), "1 times a token got out"},
		{all + "HIT log a<TOKEN>b\n\tgoroutine 7\n", "HIT log a<TOKEN>b"},
		{strings.Replace(all, "HIT url", "OTHER", 1), "by url was not seen"},
		{"", "no token was ever seen"},
	} {
		found, err := read(strings.NewReader(c.text))
		if err != nil {
			t.Fatal(err)
		}
		err = found.verdict()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%v: expected %q", err, c.want)
		}
	}
	if found, _ := read(strings.NewReader(all)); found.counts["token"] != 5 {
		t.Errorf("%v", found.counts)
	}
}

// The probes fit the Go that is installed, and the module as it is.
func TestProbesFit(t *testing.T) {
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := overlay.Write(t.TempDir(), probes(strings.TrimSpace(string(goroot)), root, "log")); err != nil {
		t.Error(err)
	}
}
