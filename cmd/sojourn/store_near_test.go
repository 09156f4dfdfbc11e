package main

import (
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/internal/testenv"
)

// A server that was told to serve stale reads goes on through an outage of its
// store; writes are refused; without the flag reads are, too. An eviction policy
// that could bring ended sessions back is told of.
func TestServeThroughAnOutage(t *testing.T) {
	redis := testenv.StartRedis(t, &testenv.RedisOptions{Config: []string{"appendonly yes", "appendfsync always", "maxmemory 64mb", "maxmemory-policy allkeys-lru"}})
	proxy := testenv.StartProxy(t, redis.Addr)
	url := "redis://" + proxy.Addr + "/0"
	stale := start(t, call{}, "--store", url, "--serve-stale", "1m", "--near-cache", "500ms")
	strict := start(t, call{}, "--store", url)
	if !strings.Contains(stale.text(), "near cache of 500ms") {
		t.Errorf("the start-up lines do not tell of the near cache:\n%s", stale.text())
	}
	if log := strict.text(); !strings.Contains(log, "allkeys-lru") {
		t.Errorf("nobody is warned of the eviction policy:\n%s", log)
	}
	v := newVisitor(stale.url).login(t, "ada")
	v.must(t, "GET", "/_session/v1/data", "")
	w := newVisitor(strict.url)
	w.cookie = v.cookie
	w.must(t, "GET", "/_session/v1/data", "")

	proxy.Refuse(true)
	proxy.Cut()
	if status, _, err := v.do("GET", "/_session/v1/data", ""); err != nil || status != 200 {
		t.Errorf("a read while the store fails: %d %v, want 200", status, err)
	}
	if status, _, err := v.do("POST", "/_session/v1/extend", `{}`); err != nil || status != 503 {
		t.Errorf("a write while the store fails: %d %v, want 503", status, err)
	}
	if status, _, err := w.do("GET", "/_session/v1/data", ""); err != nil || status != 503 {
		t.Errorf("a read without --serve-stale: %d %v, want 503", status, err)
	}
	proxy.Refuse(false)
}
