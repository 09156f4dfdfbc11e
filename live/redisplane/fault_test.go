package redisplane_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/testenv"
	"github.com/sojournhq/sojourn/live"
	"github.com/sojournhq/sojourn/live/planetest"
	"github.com/sojournhq/sojourn/live/redisplane"
)

var quick = redisplane.Options{Retention: live.Retention{Events: 100}, Probe: 200 * time.Millisecond}

// The connection is cut, and refused for a while.
func TestCut(t *testing.T) {
	r := testenv.StartRedis(t, nil)
	line := testenv.StartProxy(t, r.Addr)
	planetest.Interruption(t, open(t, "redis://"+line.Addr, quick), open(t, "redis://"+r.Addr, quick), time.Second,
		func() { line.Refuse(true); line.Cut() }, func() { line.Refuse(false) })
}

// The connection stays open and delivers nothing. Without messages of a node to
// itself that is noticed after four seconds, when the client library gives up.
func TestWedged(t *testing.T) {
	r := testenv.StartRedis(t, nil)
	line := testenv.StartProxy(t, r.Addr)
	planetest.Interruption(t, open(t, "redis://"+line.Addr, quick), open(t, "redis://"+r.Addr, quick), 3*time.Second, line.Freeze, line.Thaw)
}

// The subscription alone is lost, as if the server had forgotten it: only the
// messages of a node to itself can tell.
func TestForgottenSubscriptions(t *testing.T) {
	r := testenv.StartRedis(t, nil)
	planetest.Interruption(t, open(t, "redis://"+r.Addr, quick), open(t, "redis://"+r.Addr, quick), time.Second,
		func() { r.Do("CLIENT", "KILL", "TYPE", "pubsub") }, func() {})
}

// A server that is restarted, or emptied, begins all logs anew.
func TestRestart(t *testing.T) {
	r := testenv.StartRedis(t, &testenv.RedisOptions{Config: []string{"dbfilename dump.rdb"}})
	planetest.Forgotten(t, open(t, "redis://"+r.Addr, quick), open(t, "redis://"+r.Addr, quick), func() {
		r.Do("SAVE") // an older state than pages have seen
		r.Kill()
		r.Start()
	})
}

func TestFlush(t *testing.T) {
	r := testenv.StartRedis(t, nil)
	opt := quick
	opt.Retention.For = time.Second // so that keys are looked after twice a second
	planetest.Forgotten(t, open(t, "redis://"+r.Addr, opt), open(t, "redis://"+r.Addr, opt), func() { r.Do("FLUSHALL") })
}

// A failover may lose events that pages have seen, so it begins all logs anew.
func TestFailover(t *testing.T) {
	primary := testenv.StartRedis(t, nil)
	testenv.StartRedisReplica(t, primary.Addr, nil)
	sentinel := testenv.StartSentinel(t, "main", primary)
	url := "redis+sentinel://" + sentinel.Addr + "/main"
	planetest.Forgotten(t, open(t, url, quick), open(t, url, quick), func() { primary.Kill() })
}

func TestRefused(t *testing.T) {
	user := testenv.StartRedis(t, &testenv.RedisOptions{Config: []string{"user app on >s3cret ~sojourn:* &sojourn:* +@all -info"}})
	primary := testenv.StartRedis(t, nil)
	replica := testenv.StartRedisReplica(t, primary.Addr, nil)
	for url, says := range map[string]string{
		"postgres://u:s3cret@h/db":              "expected redis://",
		"redis://app:s3cret@" + user.Addr:       "lacks a permission",
		"redis://app:wrong-s3cret@" + user.Addr: "WRONGPASS",
		"redis://" + replica.Addr:               "replica",
		"redis://h?prefix=%7Ba%7D":              "no braces",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		p, err := redisplane.Open(ctx, url, nil)
		cancel()
		if err == nil {
			p.Close()
			t.Errorf("%s opened", url)
		} else if !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, expected %q", url, err, says)
		}
	}
	for _, opt := range []redisplane.Options{{Probe: time.Hour}, {Retention: live.Retention{Events: -1}}, {Prefix: strings.Repeat("x", 65)}} {
		if p, err := redisplane.Open(t.Context(), "redis://"+primary.Addr, &opt); !errors.Is(err, sojourn.ErrInvalid) {
			t.Errorf("%+v: %v, %v", opt, p, err)
		}
	}
}
