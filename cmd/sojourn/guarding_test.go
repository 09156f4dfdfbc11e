package main

import (
	"strings"
	"testing"
	"time"
)

// One login too many is answered with what the page can show and act on.
func TestServeMaxSessions(t *testing.T) {
	server := start(t, call{}, "--store", "memory:", "--max-sessions-per-user", "1", "--on-max-sessions", "ask")
	first := newVisitor(server.url).login(t, "ada")
	second := newVisitor(server.url)
	status, answer, err := second.do("POST", "/demo/login", loginBody("ada"))
	if err != nil || status != 409 || answer["code"] != "session_limit" || answer["limit"] != 1.0 {
		t.Fatalf("%d %v %v", status, answer, err)
	}
	devices, _ := answer["devices"].([]any)
	if len(devices) != 1 || second.cookie != "" {
		t.Errorf("to choose from: %v; cookie %q", devices, second.cookie)
	}
	if got := first.state(t); got != "active" {
		t.Errorf("the first is %s", got)
	}
}

func TestServeEvicts(t *testing.T) {
	server := start(t, call{env: []string{"SOJOURN_MAX_SESSIONS_PER_USER=1", "SOJOURN_ON_MAX_SESSIONS=evict"}}, "--store", "memory:")
	first := newVisitor(server.url).login(t, "ada")
	second := newVisitor(server.url).login(t, "ada")
	if a, b := first.state(t), second.state(t); a != "ended" || b != "active" {
		t.Errorf("the first is %s, the second %s", a, b)
	}
}

// A flood from one source is answered 429, and told as what it is.
func TestServeLimits(t *testing.T) {
	server := start(t, call{}, "--store", "memory:", "--max-creations", "3", "--max-misses", "5")
	for i := range 5 {
		status, answer, err := newVisitor(server.url).do("POST", "/demo/visit", "{}")
		if want := map[bool]int{true: 200, false: 429}[i < 3]; err != nil || status != want || status == 429 && answer["code"] != "rate_limited" {
			t.Errorf("visit %d: %d %v %v, expected %d", i, status, answer, err, want)
		}
	}
	guess := newVisitor(server.url)
	codes := map[int]int{}
	for range 10 {
		guess.cookie = "sojourn=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		status, _, err := guess.do("GET", "/_session/v1/status", "")
		if err != nil {
			t.Fatal(err)
		}
		codes[status]++
	}
	if codes[200] != 5 || codes[429] != 5 {
		t.Errorf("guesses: %v", codes)
	}
}

// The level gives the timeouts.
func TestServeAAL(t *testing.T) {
	for aal, want := range map[string]string{"2": "Timeouts  1h idle, 24h absolute; remembered: 1h idle, 24h absolute", "3": "15m idle, 12h absolute"} {
		server := start(t, call{}, "--store", "memory:", "--aal", aal)
		waitFor(t, server, want)
	}
}

// A cookie that turns up in another browser is told in the log.
func TestServeSignals(t *testing.T) {
	server := start(t, call{}, "--store", "memory:")
	v := newVisitor(server.url).login(t, "ada")
	for _, agent := range []string{"Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0", "curl/8.5.0"} {
		if status, _, err := v.do("GET", "/_session/v1/status", "", "User-Agent", agent); err != nil || status != 200 {
			t.Fatal(status, err)
		}
	}
	waitFor(t, server, "session signal", `signals="client system"`)
}

func waitFor(t *testing.T, server *running, texts ...string) {
	t.Helper()
	end := time.Now().Add(5 * time.Second)
	for _, text := range texts {
		for !strings.Contains(server.text(), text) {
			if time.Now().After(end) {
				t.Fatalf("%q was not told:\n%s", text, server.text())
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}
