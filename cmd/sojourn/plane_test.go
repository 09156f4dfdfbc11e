package main

import (
	"bufio"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/internal/testenv"
)

// What is done at one server reaches the pages of another: with the backplane
// that the store gives, and with one named beside a store that gives none.
func TestServePlane(t *testing.T) {
	redis := testenv.StartRedis(t, nil)
	postgres := testenv.StartPostgres(t)
	sql := postgres.URL(testenv.Admin, testenv.Admin, "postgres")
	file := "sqlite:" + t.TempDir() + "/shared.db"
	for name, c := range map[string]struct {
		args []string
		line string
	}{
		"store is Redis":       {[]string{"--store", "redis://" + redis.Addr}, "by redis://" + redis.Addr + " (the store)"},
		"store is PostgreSQL":  {[]string{"--store", sql}, "(the store)"},
		"file, plane by Redis": {[]string{"--store", file, "--plane", "redis://" + redis.Addr + "?prefix=file:"}, "by redis://"},
		"file, PostgreSQL":     {[]string{"--store", file, "--plane", sql}, "by postgres://"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b := start(t, call{}, c.args...), start(t, call{}, c.args...)
			if !strings.Contains(a.text(), "Live      ") || !strings.Contains(a.text(), c.line) || strings.Contains(a.text(), testenv.Admin+":"+testenv.Admin) {
				t.Errorf("start-up lines lack %q:\n%s", c.line, a.text())
			}
			v := newVisitor(a.url).login(t, "ada")
			began := make(chan struct{})
			ended := make(chan string, 1)
			go func() { ended <- follow(b.url, v.cookie, began) }()
			select {
			case <-began:
			case why := <-ended:
				t.Fatalf("the stream ended: %s", why)
			}
			at := time.Now()
			v.must(t, "DELETE", "/_session/v1/", `{"scope":"this"}`)
			select {
			case last := <-ended:
				if took := time.Since(at); took > 2*time.Second || !strings.Contains(last, "4402") {
					t.Errorf("ended after %v with %s", took, last)
				}
			case <-time.After(10 * time.Second):
				t.Error("not felt")
			}
			for _, server := range []*running{a, b} {
				if code := server.stop(t); code != 0 {
					t.Errorf("exit code %d:\n%s", code, server.text())
				}
			}
		})
	}
}

// follow reads a stream of events to its end and returns its last line.
func follow(url, cookie string, began chan<- struct{}) (last string) {
	req, err := http.NewRequest("GET", url+"/_session/v1/events", nil)
	if err != nil {
		return err.Error()
	}
	req.Header.Set("Cookie", cookie)
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	last = resp.Status
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if lines.Text() == "event: hello" {
			close(began)
		}
		if lines.Text() != "" {
			last = lines.Text()
		}
	}
	return last
}

func TestServePlaneNames(t *testing.T) {
	for _, c := range []struct{ plane, text string }{
		{"mysql://u:s3cret@h/db", "expected redis://"},
		{"memory:x", "expected redis://"},
		{"sojourn.db", "expected redis://"},
		{"redis://u:s3cret@127.0.0.1:1", "--plane redis://u:xxxxx@127.0.0.1:1"},
		{"postgres://u:s3cret@127.0.0.1:1/db", "--plane postgres://u:xxxxx@127.0.0.1:1/db"},
	} {
		r := runCommand(t, call{env: []string{"SOJOURN_PLANE=" + c.plane}}, "serve", "--listen", "127.0.0.1:0", "--store", "memory:")
		r.want(t, 1, c.text)
		if strings.Contains(r.err+r.out, "s3cret") || strings.Count(r.err, "\n") != 1 {
			t.Errorf("%s: %s", c.plane, r.err)
		}
	}
	for _, args := range [][]string{{"--store", "memory:"}, {"--store", "sqlite:x.db", "--plane", "memory:"}} {
		if server := start(t, call{}, args...); !strings.Contains(server.text(), "Live      within this process") {
			t.Errorf("%v:\n%s", args, server.text())
		}
	}
	r := runCommand(t, call{}, "schema", "postgres-live")
	r.want(t, 0)
	if !strings.Contains(r.out, "CREATE UNLOGGED TABLE sojourn_live (") {
		t.Errorf("%s", r.out)
	}
}
