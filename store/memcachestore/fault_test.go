package memcachestore_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/testenv"
	"github.com/sojournhq/sojourn/store/memcachestore"
)

func TestOpenRefuses(t *testing.T) {
	good := testenv.StartMemcached(t).Addr
	noCAS := testenv.StartMemcached(t, "-C").Addr
	gone := testenv.StartMemcached(t)
	gone.Kill()
	for _, c := range []struct {
		what, url string
		opt       *memcachestore.Options
		is        error
		says      string
	}{
		{"no scheme", "127.0.0.1:11211", nil, sojourn.ErrInvalid, "no scheme"},
		{"another scheme", "redis://127.0.0.1", nil, sojourn.ErrInvalid, `"redis"`},
		{"credentials", "memcached://me:hush@127.0.0.1", nil, sojourn.ErrInvalid, "no credentials"},
		{"a path", "memcached://127.0.0.1/app", nil, sojourn.ErrInvalid, "Options.Prefix"},
		{"a parameter", "memcached://127.0.0.1?a=b", nil, sojourn.ErrInvalid, "no parameters"},
		{"no host", "memcached://", nil, sojourn.ErrInvalid, "host is missing"},
		{"an empty host", "memcached://127.0.0.1,", nil, sojourn.ErrInvalid, "host is missing"},
		{"a port that is none", "memcached://127.0.0.1:http", nil, sojourn.ErrInvalid, "port"},
		{"one twice", "memcached://A.example,a.example:11211", nil, sojourn.ErrInvalid, "twice"},
		{"a prefix with a space", "memcached://" + good, &memcachestore.Options{Prefix: "my app"}, sojourn.ErrInvalid, "Options.Prefix"},
		{"no room", "memcached://" + good, &memcachestore.Options{MaxConns: -1}, sojourn.ErrInvalid, "Options.MaxConns"},
		{"tiny items", "memcached://" + good, &memcachestore.Options{MaxItem: 1}, sojourn.ErrInvalid, "Options.MaxItem"},
		{"no time", "memcached://" + good, &memcachestore.Options{Timeout: -1}, sojourn.ErrInvalid, "Options.Timeout"},
		{"no CAS", "memcached://" + good + "," + noCAS, nil, sojourn.ErrUnsupported, "without -C"},
		{"a server that is down", "memcached://" + good + "," + gone.Addr, nil, nil, gone.Addr},
	} {
		s, err := memcachestore.Open(t.Context(), c.url, c.opt)
		if err == nil {
			s.Close()
			t.Errorf("%s: Open succeeded", c.what)
			continue
		}
		if c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: error %q, expected %v with %q", c.what, err, c.is, c.says)
		}
	}
}

// Too large is an answer, not an outage, and loses nothing.
func TestTooLarge(t *testing.T) {
	ctx := t.Context()
	server := testenv.StartMemcached(t)
	url := "memcached://" + server.Addr
	for what, store := range map[string]*memcachestore.Store{
		"by Options.MaxItem":   open(t, url, nil),
		"by the server's rule": open(t, url, &memcachestore.Options{MaxItem: 8 << 20}),
	} {
		r := sojourn.Record{ID: sojourn.ID(what[3:6]), Expires: time.Now().Add(time.Hour), Payload: []byte("small")}
		if err := store.Create(ctx, &r); err != nil {
			t.Fatal(err)
		}
		big := r
		big.Payload = bytes.Repeat([]byte("x"), 2<<20)
		if _, err := store.Update(ctx, &big); !errors.Is(err, sojourn.ErrTooLarge) {
			t.Errorf("Update, too large %s: error %v, expected ErrTooLarge", what, err)
		}
		big.ID += "2"
		if err := store.Create(ctx, &big); !errors.Is(err, sojourn.ErrTooLarge) {
			t.Errorf("Create, too large %s: error %v, expected ErrTooLarge", what, err)
		}
		got, err := store.Load(ctx, r.ID)
		if err != nil || string(got.Payload) != "small" || got.Version != r.Version {
			t.Errorf("after an Update that was too large %s: %q, version %d of %d, error %v", what, got.Payload, got.Version, r.Version, err)
		}
		r.Payload = bytes.Repeat([]byte("y"), 1<<20-2<<10)
		if _, err := store.Update(ctx, &r); err != nil {
			t.Errorf("Update, nearly too large %s: %v", what, err)
		}
	}
}

// A record of a newer Sojourn, or of somebody else, is neither a session nor the
// absence of one, and stays as it is.
func TestUnknownFormat(t *testing.T) {
	ctx := t.Context()
	server := testenv.StartMemcached(t)
	raw := memcache.New(server.Addr)
	t.Cleanup(func() { raw.Close() })
	store := open(t, "memcached://"+server.Addr, nil)
	r := sojourn.Record{ID: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", Owner: "ada", Expires: time.Now().Add(time.Hour)}
	for what, value := range map[string]string{"newer": "\x02…", "cut": "\x01\x00\x00", "empty": "", "somebody else's": "hello"} {
		if err := raw.Set(&memcache.Item{Key: "sojourn:s" + string(r.ID), Value: []byte(value)}); err != nil {
			t.Fatal(err)
		}
		_, err := store.Load(ctx, r.ID)
		_, updated := store.Update(ctx, &r)
		for _, err := range []error{err, updated, store.Touch(ctx, &r, time.Now().Add(2*time.Hour))} {
			if !errors.Is(err, sojourn.ErrCorrupt) || errors.Is(err, sojourn.ErrNotFound) {
				t.Errorf("a record that is %s: error %v, expected ErrCorrupt", what, err)
			}
		}
		if item, err := raw.Get("sojourn:s" + string(r.ID)); err != nil || string(item.Value) != value {
			t.Errorf("a record that is %s was changed", what)
		}
	}
}

// P9: a server that dies is an outage, and it is found again when it is back.
func TestServerRestarts(t *testing.T) {
	ctx := t.Context()
	server := testenv.StartMemcached(t)
	store := open(t, "memcached://"+server.Addr, nil)
	r := sojourn.Record{ID: "session", Expires: time.Now().Add(time.Hour)}
	if err := store.Create(ctx, &r); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	for range 3 {
		_, err := store.Load(ctx, r.ID)
		if err == nil || errors.Is(err, sojourn.ErrNotFound) {
			t.Fatalf("Load without a server: error %v, expected an outage", err)
		}
		if !strings.Contains(err.Error(), "memcachestore: load: ") || !strings.Contains(err.Error(), server.Addr) {
			t.Errorf("Load without a server: %q does not say where", err)
		}
	}
	server.Start()
	if _, err := store.Load(ctx, r.ID); !errors.Is(err, sojourn.ErrNotFound) {
		t.Errorf("Load of what the server lost: error %v, expected ErrNotFound", err)
	}
}

// When all connections are cut, one call fails, and not one for each connection.
func TestCutFailsOnce(t *testing.T) {
	ctx := t.Context()
	proxy := testenv.StartProxy(t, testenv.StartMemcached(t).Addr)
	store := open(t, "memcached://"+proxy.Addr, nil)
	const n = 12
	together := func() (failed int64) {
		var count atomic.Int64
		var all sync.WaitGroup
		for range n {
			all.Go(func() {
				if _, err := store.Load(ctx, "anything"); !errors.Is(err, sojourn.ErrNotFound) {
					count.Add(1)
				}
			})
		}
		all.Wait()
		return count.Load()
	}
	proxy.Delay(20 * time.Millisecond) // so that each takes a connection of its own
	if failed := together(); failed != 0 || proxy.Conns() < n {
		t.Fatalf("%d of %d calls failed, over %d connections", failed, n, proxy.Conns())
	}
	proxy.Cut()
	if _, err := store.Load(ctx, "anything"); err == nil || errors.Is(err, sojourn.ErrNotFound) {
		t.Errorf("the first call after the cut: error %v", err)
	}
	if failed := together(); failed != 0 {
		t.Errorf("%d of the next %d calls failed, too", failed, n)
	}
}

// A server that accepts and never answers holds each call for as long as its
// context allows, and a bounded number at once.
func TestSilentServer(t *testing.T) {
	server := testenv.StartMemcached(t)
	silence, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silence.Close()
	address := server.Addr
	store := open(t, "memcached://"+server.Addr, &memcachestore.Options{MaxConns: 4,
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		}})
	address = silence.Addr().String()
	before := runtime.NumGoroutine()
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			began := time.Now()
			_, err := store.Load(ctx, "anything")
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Load of a silent server: error %v, expected the context's", err)
			}
			if took := time.Since(began); took > time.Second {
				t.Errorf("Load of a silent server took %v, its context 100ms", took)
			}
		})
	}
	all.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	cancelled := make(chan error)
	go func() { _, err := store.Load(ctx, "anything"); cancelled <- err }()
	time.AfterFunc(20*time.Millisecond, cancel)
	if err := <-cancelled; !errors.Is(err, context.Canceled) {
		t.Errorf("Load cancelled while it waits: error %v, expected the context's", err)
	}
	for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("%d goroutines are left of calls that ended, %d before", n, before)
	}
	address = server.Addr
	if _, err := store.Load(t.Context(), "anything"); !errors.Is(err, sojourn.ErrNotFound) {
		t.Errorf("Load once the server answers again: error %v", err)
	}
	store.Close()
	if _, err := store.Load(t.Context(), "anything"); err == nil || errors.Is(err, sojourn.ErrNotFound) {
		t.Errorf("Load of a closed store: error %v", err)
	}
}
