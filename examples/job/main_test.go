package main

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/store/sqlstore"
)

// run serves the example until stop is called, as a process would.
func run(t *testing.T, file string) (url string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	store, err := sqlstore.OpenSQLite(ctx, file, nil)
	if err != nil {
		t.Fatal(err)
	}
	h, err := handler(ctx, store)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	return server.URL, func() {
		server.Close()
		cancel()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestReportArrivesAndSurvivesARestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sessions.db")
	home, stop := run(t, file)
	jar, _ := cookiejar.New(nil)
	visitor := http.Client{Jar: jar}
	read := func(resp *http.Response, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return string(body)
	}

	if page := read(visitor.Get(home)); !strings.Contains(page, "none yet") {
		t.Errorf("a new visitor sees %s", page)
	}
	page := read(visitor.PostForm(home, url.Values{}))
	for begin := time.Now(); !strings.Contains(page, "written at "); page = read(visitor.Get(home)) {
		if !strings.Contains(page, "being written") || time.Since(begin) > 10*time.Second {
			t.Fatalf("instead of a report: %s", page)
		}
	}

	stop()
	home, stop = run(t, file) // another port, the same cookies
	defer stop()
	if again := read(visitor.Get(home)); again != page {
		t.Errorf("after a restart: %s", again)
	}
}
