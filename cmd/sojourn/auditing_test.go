package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/audit"
)

const testSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// auditLines reads the records in a file.
func auditLines(t *testing.T, path string) (list []audit.Record) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		var r audit.Record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		list = append(list, r)
	}
	return list
}

func TestServeAuditFile(t *testing.T) {
	dir := t.TempDir()
	server := start(t, call{dir: dir}, "--store", "memory:", "--audit", "audit.jsonl", "--audit-keep", "3")
	if !strings.Contains(server.text(), "Audit     audit.jsonl, renamed at 100 MB, 3 kept") {
		t.Errorf("start-up lines:\n%s", server.text())
	}
	v := newVisitor(server.url).login(t, "ada")
	hangup(t, server, "begun anew")
	secret := v.token()[36:]
	v.must(t, "DELETE", "/_session/v1", "")
	if code := server.stop(t); code != 0 {
		t.Errorf("exit code %d:\n%s", code, server.text())
	}
	files, _ := filepath.Glob(filepath.Join(dir, "audit*.jsonl"))
	if len(files) != 2 {
		t.Fatalf("after a rotation: %v", files)
	}
	var created, ended *audit.Record
	for _, f := range files {
		private(t, f)
		for _, r := range auditLines(t, f) {
			switch r.Event {
			case "created":
				created = &r
			case "ended":
				ended = &r
			}
		}
	}
	if created == nil || created.Owner != "ada" || created.IP != "127.0.0.1" {
		t.Errorf("created: %+v", created)
	}
	if ended == nil || ended.Owner != "ada" || ended.Reason != "logout" || ended.IP != "127.0.0.1" || ended.Session != created.Session || ended.Seq <= created.Seq {
		t.Errorf("ended: %+v", ended)
	}
	for _, f := range files {
		if b, _ := os.ReadFile(f); strings.Contains(string(b), secret) {
			t.Error("a token was written")
		}
	}
}

// With --audit -, standard output holds records only.
func TestServeAuditStandardOutput(t *testing.T) {
	address := freePort(t)
	out, errs := &running{}, &running{} // as writers that can be read meanwhile
	cmd := exec.Command(binary, "serve", "--listen", address, "--store", "memory:", "--audit", "-")
	cmd.Stdout, cmd.Stderr = out, errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	url := "http://" + address
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			break
		}
		if time.Now().After(end) {
			t.Fatalf("it does not listen: %s", errs.text())
		}
	}
	newVisitor(url).login(t, "ada")
	cmd.Process.Signal(os.Interrupt)
	cmd.Wait()
	for line := range strings.Lines(out.text()) {
		var r audit.Record
		if json.Unmarshal([]byte(line), &r) != nil || r.V != 1 {
			t.Errorf("standard output holds %q", line)
		}
	}
	if !strings.Contains(out.text(), `"owner":"ada"`) || !strings.Contains(errs.text(), "Audit     standard output") {
		t.Errorf("standard output:\n%s\nstandard error:\n%s", out.text(), errs.text())
	}
}

func TestServeAuditWebhook(t *testing.T) {
	secret, err := audit.ParseSecret(testSecret)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var got []string
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		if err := audit.Verify(secret, r.Header, body, time.Now()); err != nil {
			t.Error(err)
		}
		got = append(got, string(body))
	}))
	defer receiver.Close()
	env := []string{webhookSecret + "=" + testSecret}
	server := start(t, call{env: env}, "--store", "memory:", "--audit-webhook", receiver.URL+"/?key=hidden", "--audit-webhook-insecure")
	newVisitor(server.url).login(t, "ada")
	if code := server.stop(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if all := strings.Join(got, "\n"); !strings.Contains(all, `"type":"session.created"`) || !strings.Contains(all, `"owner":"ada"`) {
		t.Errorf("posted: %s", all)
	}
	if text := server.text(); !strings.Contains(text, "webhook to "+strings.TrimPrefix(receiver.URL, "http://")) || strings.Contains(text, "hidden") || strings.Contains(text, testSecret[6:16]) {
		t.Errorf("the log:\n%s", text)
	}
}

func TestServeAuditRefusals(t *testing.T) {
	dir := t.TempDir()
	env := []string{webhookSecret + "=" + testSecret}
	for _, c := range []struct {
		name string
		env  []string
		args []string
		text string
	}{
		{"no folder", nil, []string{"--audit", "none/a.jsonl"}, "folder that exists"},
		{"a folder", nil, []string{"--audit", dir}, "expected a file"},
		{"no size", nil, []string{"--audit", "a", "--audit-max-size", "0"}, "at least 1 MB"},
		{"no secret", nil, []string{"--audit-webhook", "https://example.com"}, webhookSecret},
		{"a bad secret", []string{webhookSecret + "=hidden"}, []string{"--audit-webhook", "https://example.com"}, "whsec_"},
		{"no TLS", env, []string{"--audit-webhook", "http://example.com"}, "expected https"},
		{"no URL", env, []string{"--audit-webhook", "example.com"}, "https://"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := runCommand(t, call{env: c.env}, append([]string{"serve", "--listen", "127.0.0.1:0", "--store", "memory:"}, c.args...)...)
			r.want(t, 1, c.text)
			if strings.Contains(r.err, "hidden") || strings.Count(r.err, "\n") != 1 {
				t.Errorf("%q", r.err)
			}
		})
	}
}
