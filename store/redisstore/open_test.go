package redisstore

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/testenv"
)

// minimal is the permissions that the package documentation lists.
const minimal = "~sojourn:* -@all +mget +get +set +exists +getrange +setrange +pexpireat +pexpiretime " +
	"+zadd +zrem +zscore +zrange +zrangebyscore +zremrangebyscore +time +eval +evalsha +ping +hello "

// diagnosing is what more it lists for Diagnose.
const diagnosing = "+info +wait +scan +dbsize +config|get "

func TestUsers(t *testing.T) {
	r := testenv.StartRedis(t, &testenv.RedisOptions{Password: "admin", Config: []string{
		"user app on >s3cret " + minimal + "+info +wait",
		"user blind on >s3cret " + minimal,
		"user reader on >s3cret ~sojourn:* -@all +mget +get +ping +hello +info",
	}})
	for user, says := range map[string]string{"app:wrong": "check user and password", "nobody:s3cret": "check user and password", "": "wants a password", ":wrong": "check user and password"} {
		at := ""
		if user != "" {
			at = user + "@"
		}
		if err := refused(t, "redis://"+at+r.Addr, nil); !strings.Contains(err.Error(), says) {
			t.Errorf("user %q: error %q, expected %q", user, err, says)
		}
	}
	if err := refused(t, "redis://reader:s3cret@"+r.Addr, nil); !strings.Contains(err.Error(), "lacks a permission") {
		t.Errorf("a user who may not write: %v", err)
	}
	if err := refused(t, "redis://app:s3cret@"+r.Addr+"?prefix=other:", nil); !strings.Contains(err.Error(), "lacks a permission") {
		t.Errorf("a user of other keys: %v", err)
	}
	for _, user := range []string{"app", "blind"} {
		var log logBook
		s := open(t, "redis://"+user+":s3cret@"+r.Addr, &Options{Logger: log.logger()})
		everything(t, s)
		if warned := strings.Contains(log.String(), "may not run INFO"); warned != (user == "blind") {
			t.Errorf("%s: the log is %q", user, log.String())
		}
	}
}

// everything takes a session, and one whose ID is of another format, through
// their lives.
func everything(t *testing.T, s *Store) {
	t.Helper()
	for _, id := range []sojourn.ID{"", "sess:" + sojourn.ID(random())} {
		r := newRecord("owner " + random())
		if id != "" {
			r.ID = id
		}
		err := s.Create(t.Context(), &r)
		if err == nil {
			_, err = s.Update(t.Context(), &r)
		}
		if err == nil {
			err = s.Touch(t.Context(), &r, time.Now().Add(2*time.Hour))
		}
		if err == nil {
			_, err = s.Load(t.Context(), r.ID)
		}
		if err == nil {
			_, err = s.RevokeOwner(t.Context(), r.Owner)
		}
		if err == nil {
			var ids []sojourn.ID
			if ids, err = s.List(t.Context(), r.Owner); err == nil && len(ids) != 1 {
				t.Errorf("List: %q", ids)
			}
		}
		if err == nil {
			err = s.Revoke(t.Context(), revocation(r))
		}
		if err != nil {
			t.Error(err)
		}
	}
}

func TestTLS(t *testing.T) {
	r := testenv.StartRedis(t, &testenv.RedisOptions{TLS: true})
	everything(t, open(t, "rediss://"+r.Addr, &Options{TLS: r.TLS}))
	if err := refused(t, "rediss://"+r.Addr, nil); !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate that nobody vouches for: %v", err)
	}
	refused(t, "redis://"+r.Addr, nil)
}

func TestWrongServers(t *testing.T) {
	url := "redis://" + server(t).Addr
	for target, says := range map[string]string{
		"redis://" + servers(t).Nodes[0].Addr:                                  "expected redis+cluster://",
		"redis+cluster://" + server(t).Addr:                                    "expected redis://",
		url + "/99":                                                            "no such database",
		"redis+sentinel://" + server(t).Addr + "/main":                         "",
		"redis://" + testenv.StartRedisReplica(t, server(t).Addr, nil).Addr:    "read-only replica",
		"redis://" + testenv.Loopback(testenv.Port(t)):                         "refused",
		"redis+cluster://" + testenv.Loopback(testenv.Port(t)) + ",127.0.0.1:": "host",
	} {
		if err := refused(t, target, nil); !strings.Contains(err.Error(), says) {
			t.Errorf("%s: error %q, expected %q", target, err, says)
		}
	}
}

// TestOpenReturnsWhenItsContextEnds meets a server that accepts and says nothing.
func TestOpenReturnsWhenItsContextEnds(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err = Open(ctx, "redis://"+l.Addr().String(), nil)
	if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took > time.Second {
		t.Errorf("error %v after %v", err, took)
	}
}

func TestOpenWarnsOfEviction(t *testing.T) {
	r := testenv.StartRedis(t, nil)
	for policy, warns := range map[string]bool{"noeviction": false, "allkeys-lru": true, "volatile-ttl": true} {
		r.Do("CONFIG", "SET", "maxmemory-policy", policy)
		var log logBook
		open(t, "redis://"+r.Addr, &Options{Logger: log.logger()})
		if warned := strings.Contains(log.String(), "level=WARN") && strings.Contains(log.String(), policy); warned != warns {
			t.Errorf("%s: the log is %q", policy, log.String())
		}
	}
}

func TestClosed(t *testing.T) {
	s := open(t, "redis://"+server(t).Addr, nil)
	r := create(t, s, "owner "+random())
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	_, err := s.Load(t.Context(), r.ID)
	if !errors.Is(err, ErrClosed) || !errors.Is(s.Ping(t.Context()), ErrClosed) {
		t.Errorf("Load after Close: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("the second Close: %v", err)
	}
}
