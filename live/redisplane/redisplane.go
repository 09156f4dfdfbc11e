package redisplane

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/redis/rueidis"
	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/redisurl"
	"github.com/sojournhq/sojourn/live"
)

// A Plane is a [live.Backplane]. It is made by [Open] and safe for parallel use.
type Plane struct {
	opt      Options
	topology redisurl.Topology
	client   rueidis.Client
	node     string // of this process, made up
	channels string // what those of sessions begin with

	life   context.Context // until Close
	stop   context.CancelFunc
	tasks  sync.WaitGroup
	health live.Health

	mu      sync.Mutex
	watches map[sojourn.ID]*watch
	count   uint64                  // of Watch calls
	dirty   map[sojourn.ID]struct{} // to be subscribed to, or no longer
	left    map[string][]string     // watchers to be removed, by key
	probes  map[string]time.Time    // own messages under way
	turn    chan struct{}           // something is in dirty
	leave   chan struct{}           // something is in left
}

var _ live.Backplane = (*Plane)(nil)

const (
	dialTimeout   = 3 * time.Second
	answerTimeout = 3 * time.Second
	callTimeout   = 5 * time.Second
)

// Open connects to the servers that url names, as redisstore.Open does:
//
//	redis://[user:password@]host[:port][/db]
//	redis+cluster://host:port,host:port
//	redis+sentinel://host:port,host:port/name
//
// and tests that they may be used. Errors never repeat the password. Close the
// plane after use.
func Open(ctx context.Context, url string, opt *Options) (*Plane, error) {
	t, err := redisurl.Parse(url)
	if err != nil {
		return nil, fmt.Errorf("redisplane: open: %w: %w", sojourn.ErrInvalid, err)
	}
	o, err := opt.settled(t.Prefix)
	if err != nil {
		return nil, fmt.Errorf("redisplane: open: %w", err)
	}
	client, err := connect(ctx, clientOption(t, &o))
	if err != nil {
		return nil, wrap("open", err)
	}
	p := &Plane{
		opt: o, topology: t.Topology, client: client,
		node: newNode(), channels: channelPrefix(o.Prefix, t.DB),
		watches: map[sojourn.ID]*watch{}, dirty: map[sojourn.ID]struct{}{}, left: map[string][]string{},
		probes: map[string]time.Time{}, turn: make(chan struct{}, 1), leave: make(chan struct{}, 1),
	}
	p.life, p.stop = context.WithCancel(context.Background())
	if err := p.inspect(ctx); err != nil {
		p.Close()
		return nil, wrap("open", err)
	}
	return p, nil
}

func clientOption(t redisurl.Target, o *Options) rueidis.ClientOption {
	d := net.Dialer{Timeout: dialTimeout, KeepAlive: time.Second}
	option := rueidis.ClientOption{
		InitAddress: t.Addrs, Username: t.User, Password: t.Password, SelectDB: t.DB,
		ClientName: "sojourn-live", ForceSingleClient: t.Topology == redisurl.Single,
		Dialer: d, ConnWriteTimeout: answerTimeout,
		DisableRetry: true, DisableCache: true, AlwaysPipelining: true,
		ReadBufferEachConn: 64 << 10, WriteBufferEachConn: 64 << 10, BlockingPoolSize: 4,
		ClusterOption: rueidis.ClusterOption{ShardsRefreshInterval: 5 * time.Second, MaxMovedRedirections: 8},
		Sentinel: rueidis.SentinelOption{
			MasterSet: t.Master, Username: t.SentinelUser, Password: t.SentinelPassword,
			Dialer: d, TopologyRefreshInterval: 2 * time.Second,
		},
	}
	if t.TLS {
		option.TLSConfig, option.Sentinel.TLSConfig = o.TLS, o.TLS
	}
	return option
}

// connect returns when ctx ends, which the library does not.
func connect(ctx context.Context, opt rueidis.ClientOption) (rueidis.Client, error) {
	return within(ctx, func() (rueidis.Client, error) { return rueidis.NewClient(opt) }, func(c rueidis.Client) { c.Close() })
}

// within runs what knows no contexts; what comes too late is undone.
func within[T any](ctx context.Context, f func() (T, error), undo func(T)) (T, error) {
	type result struct {
		v   T
		err error
	}
	done := make(chan result, 1)
	go func() {
		v, err := f()
		done <- result{v, err}
	}()
	select {
	case r := <-done:
		return r.v, r.err
	case <-ctx.Done():
		go func() {
			if r := <-done; r.err == nil {
				undo(r.v)
			}
		}()
		var none T
		return none, ctx.Err()
	}
}

// inspect does once, on a log that is dropped again, what needs every permission.
func (p *Plane) inspect(ctx context.Context) error {
	for addr, node := range p.client.Nodes() {
		info, err := node.Do(ctx, node.B().Info().Section("server", "replication").Build()).ToString()
		if err != nil {
			return fmt.Errorf("%s: %w", addr, err)
		}
		if p.topology == redisurl.Single && strings.Contains(info, "role:slave") {
			return fmt.Errorf("%w: %s is a read-only replica: expected its primary, or redis+sentinel://", sojourn.ErrInvalid, addr)
		}
	}
	probe := sojourn.ID("probe " + p.node)
	if _, err := p.open(ctx, probe, nil); err != nil {
		return err
	}
	if err := p.client.Do(ctx, p.client.B().Del().Key(p.logKeys(probe)...).Build()).Error(); err != nil {
		return err
	}
	if err := p.client.Do(ctx, p.client.B().Publish().Channel(p.probeChannel()).Message("").Build()).Error(); err != nil {
		return err
	}
	return p.beat(ctx)
}

// Start implements [live.Backplane].
func (p *Plane) Start(health live.Health) error {
	p.health = health
	p.tasks.Go(p.listen)
	p.tasks.Go(p.tend)
	return nil
}

// Close ends the connections. Methods fail from now on.
func (p *Plane) Close() error {
	p.stop()
	p.tasks.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = p.client.Do(ctx, p.client.B().Zrem().Key(p.nodesKey()).Member(p.node).Build()).Error()
	p.client.Close()
	return nil
}

// Known implements [live.Backplane]: only the servers could tell.
func (p *Plane) Known(sojourn.ID) bool { return true }

func newNode() string {
	var b [12]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:]) // 16 characters
}

const nodeChars = 16

func wrap(op string, err error) error {
	var said *rueidis.RedisError
	var ended *live.Ended
	switch {
	case err == nil:
		return nil
	case errors.Is(err, rueidis.ErrClosing):
		err = errors.New("the plane is closed")
	case errors.Is(err, sojourn.ErrInvalid), errors.As(err, &ended):
	case !errors.As(err, &said) || said.IsLoading() || said.IsClusterDown() || said.IsTryAgain():
		err = fmt.Errorf("%w: %w", sojourn.ErrUnavailable, err)
	case strings.HasPrefix(said.Error(), "NOPERM"):
		err = fmt.Errorf("%w: the user lacks a permission, see the documentation of package redisplane", err)
	}
	return fmt.Errorf("redisplane: %s: %w", op, err)
}
