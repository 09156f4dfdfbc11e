package memcachestore_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
	"github.com/sojournhq/sojourn/internal/testenv"
	"github.com/sojournhq/sojourn/store/memcachestore"
)

type findings []string

func diagnose(t *testing.T, s *memcachestore.Store) (all findings) {
	t.Helper()
	s.Diagnose(t.Context(), func(check, detail string, problem error) {
		all = append(all, fmt.Sprintf("%s: %s: %v", check, detail, problem))
	})
	return all
}

// expect finds a report with all of the parts; good ones end with ": <nil>".
func (f findings) expect(t *testing.T, parts ...string) {
	t.Helper()
	for _, one := range f {
		found := strings.HasPrefix(one, parts[0]+": ")
		for _, p := range parts[1:] {
			found = found && strings.Contains(one, p)
		}
		if found {
			return
		}
	}
	t.Errorf("expected %q in\n%s", parts, strings.Join(f, "\n"))
}

func TestDiagnose(t *testing.T) {
	server := testenv.StartMemcached(t, "-I", "512k")
	s := open(t, "memcached://"+server.Addr, &memcachestore.Options{MaxItem: 511 << 10})
	found := diagnose(t, s)
	t.Logf("a good server:\n%s", strings.Join(found, "\n"))
	for check, detail := range map[string]string{
		"reach": "an item written and read back", "version": ", up for ", "items": "at most 524288 bytes", "evictions": "0 since",
		"memory": "0 % of 64.0 MiB", "connections": " of 1024", "clock": "as on this machine",
	} {
		found.expect(t, check, detail, ": <nil>")
	}
	if len(found) != 7 {
		t.Errorf("%d reports", len(found))
	}
	diagnose(t, open(t, "memcached://"+server.Addr, nil)).expect(t, "items", "start it with -I 1048576")

	raw := memcache.New(server.Addr)
	defer raw.Close()
	value := make([]byte, 400<<10)
	for i := range 300 { // more than 64 MiB
		if err := raw.Set(&memcache.Item{Key: fmt.Sprint(i), Value: value}); err != nil {
			t.Fatal(err)
		}
	}
	found = diagnose(t, s)
	t.Logf("a full server:\n%s", strings.Join(found, "\n"))
	found.expect(t, "evictions", "users were logged out for want of memory")
	found.expect(t, "memory", " % of 64.0 MiB (-m)", "larger -m")
}

func TestDiagnoseServers(t *testing.T) {
	first, second := testenv.StartMemcached(t), testenv.StartMemcached(t)
	s := open(t, "memcached://"+first.Addr+","+second.Addr, nil)
	second.Kill()
	found := diagnose(t, s)
	found.expect(t, "reach", first.Addr+": an item", ": <nil>")
	found.expect(t, "reach", second.Addr+": no answer", "refused")
}

// TestDiagnoseWithoutCAS: a server that was restarted with other options.
func TestDiagnoseWithoutCAS(t *testing.T) {
	good, without := testenv.StartMemcached(t), testenv.StartMemcached(t, "-C", "-M")
	to := good.Addr
	s := open(t, "memcached://"+good.Addr, &memcachestore.Options{Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, to)
	}})
	to = without.Addr
	found := diagnose(t, s)
	found.expect(t, "reach", "without compare-and-swap (-C)", "start it without -C")
	found.expect(t, "evictions", "switched off (-M)", ": <nil>")
}

func TestDiagnoseEnds(t *testing.T) {
	server := testenv.StartMemcached(t)
	line := testenv.StartProxy(t, server.Addr)
	s := open(t, "memcached://"+line.Addr, nil)
	line.Freeze()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	s.Diagnose(ctx, func(check, _ string, problem error) {
		if check != "reach" || !errors.Is(problem, context.DeadlineExceeded) {
			t.Errorf("%s: %v", check, problem)
		}
	})
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %v", took)
	}
}
