package memcachestore

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
	"github.com/sojournhq/sojourn"
)

// Options set a Store up. The zero value is ready for use.
type Options struct {
	// Prefix begins every key, so that several applications can share servers: 1
	// to 64 characters of printable ASCII without spaces. Default "sojourn:".
	Prefix string
	// OwnerKey is what sojourn.Options.OwnerKey is; without it Load needs a second
	// round trip where the manager has one. Default none.
	OwnerKey []byte
	// MaxItem bounds an item, in bytes: a larger record is sojourn.ErrTooLarge.
	// Servers have a bound of their own, the option -I, which refuses likewise.
	// Default 1 MiB less 1 KiB, what -I allows by default.
	MaxItem int
	// MaxConns bounds the connections to each server; further calls wait for
	// one, as long as their context allows. Default 64.
	MaxConns int
	// Timeout bounds the wait for a server, also where a context allows more.
	// Default 3 s; the manager's own limits are shorter.
	Timeout time.Duration
	// Dial connects to a server. Default: plain TCP. For TLS give the DialContext
	// of a tls.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Clock tells how far away deadlines are. Set it where the core has a clock of
	// its own. Default time.Now.
	Clock func() time.Time
}

// A Store keeps sessions in Memcached. It is made by Open and safe for parallel
// use.
type Store struct {
	opt     Options
	servers []string
	keys    keys
	pool    *pool
	records *recent[entry]
	owners  *recent[generations]
}

var (
	_ sojourn.Store  = (*Store)(nil)
	_ sojourn.Pinger = (*Store)(nil)
	_ io.Closer      = (*Store)(nil)
)

// Open connects to the servers of a URL, memcached://host:port[,host:port…], and
// checks that all of them answer and can compare and swap; nil stands for the
// default options. A malformed URL or option is sojourn.ErrInvalid. Close ends
// what Open began.
func Open(ctx context.Context, url string, opt *Options) (*Store, error) {
	s, servers, err := prepare(url, opt)
	if err != nil {
		return nil, fmt.Errorf("memcachestore: open: %w", err)
	}
	for _, server := range servers {
		if err := s.probe(ctx, server); err != nil {
			s.Close()
			return nil, fmt.Errorf("memcachestore: open: server %s: %w", server, err)
		}
	}
	return s, nil
}

func prepare(url string, opt *Options) (*Store, []string, error) {
	servers, err := parseURL(url)
	if err != nil {
		return nil, nil, err
	}
	s := &Store{servers: servers, records: newRecent[entry](), owners: newRecent[generations]()}
	if opt != nil {
		s.opt = *opt
	}
	o := &s.opt
	if o.Prefix == "" {
		o.Prefix = "sojourn:"
	}
	if len(o.Prefix) > 64 || strings.ContainsFunc(o.Prefix, func(r rune) bool { return r <= ' ' || r >= 127 }) {
		return nil, nil, fmt.Errorf("%w: Options.Prefix %q, expected 1 to 64 characters of printable ASCII without spaces", sojourn.ErrInvalid, o.Prefix)
	}
	for _, n := range []struct {
		v            *int
		name         string
		def, low, up int
	}{
		{&o.MaxItem, "MaxItem", 1<<20 - 1<<10, 1 << 10, 1 << 30},
		{&o.MaxConns, "MaxConns", 64, 1, 1 << 16},
	} {
		if *n.v == 0 {
			*n.v = n.def
		}
		if *n.v < n.low || *n.v > n.up {
			return nil, nil, fmt.Errorf("%w: Options.%s is %d, expected %d to %d", sojourn.ErrInvalid, n.name, *n.v, n.low, n.up)
		}
	}
	if o.Timeout == 0 {
		o.Timeout = 3 * time.Second
	}
	if o.Timeout < time.Millisecond {
		return nil, nil, fmt.Errorf("%w: Options.Timeout is %v, expected at least 1ms", sojourn.ErrInvalid, o.Timeout)
	}
	if o.Dial == nil {
		o.Dial = new(net.Dialer).DialContext
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	s.keys = keys{prefix: o.Prefix, ownerKey: append([]byte(nil), o.OwnerKey...)}
	s.pool = newPool(newSelector(&s.keys, servers), o)
	return s, servers, nil
}

// probe writes an item to one server and reads it back.
func (s *Store) probe(ctx context.Context, server string) error {
	one := newPool(newSelector(&s.keys, []string{server}), &s.opt)
	defer one.close()
	item := &memcache.Item{Key: s.keys.prefix + "p" + rand.Text(), Value: []byte("probe"), Expiration: 60}
	if err := one.do(ctx, func(c *memcache.Client) error { return c.Set(item) }); err != nil {
		return err
	}
	var got *memcache.Item
	err := one.do(ctx, func(c *memcache.Client) (err error) { got, err = c.Get(item.Key); return err })
	if err != nil {
		return fmt.Errorf("an item just written: %w", err)
	}
	if got.CasID == 0 {
		return fmt.Errorf("%w: it runs without compare-and-swap, under which parallel requests would overwrite each other: start it without -C", sojourn.ErrUnsupported)
	}
	return nil
}

// Ping asks every server for its version.
func (s *Store) Ping(ctx context.Context) error {
	return wrap("ping", s.pool.do(ctx, (*memcache.Client).Ping))
}

// Close ends all connections. Calls under way fail or succeed; later ones fail.
func (s *Store) Close() error {
	s.pool.close()
	return nil
}
