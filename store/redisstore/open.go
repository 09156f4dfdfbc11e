package redisstore

import (
	"context"
	"net"
	"time"

	"github.com/redis/rueidis"
	"github.com/sojournhq/sojourn/internal/redisurl"
)

// Open connects to the servers that url names, and looks whether they can keep
// sessions:
//
//	redis://[user:password@]host[:port][/db]       one server
//	redis+cluster://host:port,host:port            a Cluster, by some of its nodes
//	redis+sentinel://host:port,host:port/name      the primary that Sentinels know by that name
//
// With rediss instead of redis the connections use TLS. After a question mark
// follow db, prefix, sentinel-user and sentinel-password. Errors never repeat
// the password. Close the store after use.
func Open(ctx context.Context, url string, opt *Options) (*Store, error) {
	t, err := redisurl.Parse(url)
	if err != nil {
		return nil, wrap("open", invalid("%v", err))
	}
	o, err := opt.settled(t)
	if err != nil {
		return nil, wrap("open", err)
	}
	s := &Store{opt: o, topology: t.Topology, guard: newGuard(), journal: newJournal(o.Replay), walks: walks{window: walkWindow}}
	s.dialer = newDialer(nil, s.guard)
	if t.TLS {
		s.dialer.tls = o.TLS
	}
	if s.client, err = connect(ctx, s.clientOption(t)); err != nil {
		s.dialer.close()
		s.guard.close()
		return nil, wrap("open", err)
	}
	s.life, s.stop = context.WithCancel(context.Background())
	if err := s.inspect(ctx); err != nil {
		s.Close()
		return nil, wrap("open", err)
	}
	s.following.Go(func() { s.follow(s.life) })
	return s, nil
}

func (s *Store) clientOption(t redisurl.Target) rueidis.ClientOption {
	d := net.Dialer{Timeout: dialTimeout, KeepAlive: pingEvery}
	return rueidis.ClientOption{
		InitAddress:       t.Addrs,
		Username:          t.User,
		Password:          t.Password,
		SelectDB:          t.DB,
		ClientName:        "sojourn",
		ForceSingleClient: t.Topology == redisurl.Single,
		Dialer:            d,
		DialCtxFn:         s.dialer.dial,
		TLSConfig:         s.dialer.tls,
		ConnWriteTimeout:  answerTimeout,
		DisableRetry:      true, // see once
		DisableCache:      true,
		// Else a call that runs out of time closes the connection of all others.
		AlwaysPipelining:    true,
		ReadBufferEachConn:  64 << 10,
		WriteBufferEachConn: 64 << 10,
		BlockingPoolSize:    16, // for WAIT
		Sentinel: rueidis.SentinelOption{
			MasterSet: t.Master, Username: t.SentinelUser, Password: t.SentinelPassword,
			Dialer: d, TLSConfig: s.dialer.tls,
			TopologyRefreshInterval: 2 * time.Second, // a missed event would pin us to a former primary
		},
		ClusterOption: rueidis.ClusterOption{ShardsRefreshInterval: 10 * time.Second, MaxMovedRedirections: 8},
	}
}

// connect returns when ctx ends, which the library does not.
func connect(ctx context.Context, opt rueidis.ClientOption) (rueidis.Client, error) {
	type result struct {
		client rueidis.Client
		err    error
	}
	done := make(chan result, 1)
	go func() {
		client, err := rueidis.NewClient(opt)
		if err != nil && client != nil {
			client.Close()
		}
		done <- result{client, err}
	}()
	select {
	case r := <-done:
		return r.client, r.err
	case <-ctx.Done():
		go func() {
			if r := <-done; r.err == nil {
				r.client.Close()
			}
		}()
		return nil, ctx.Err()
	}
}

// inspect refuses servers that cannot keep sessions, and warns of those that may
// forget them.
func (s *Store) inspect(ctx context.Context) error {
	for addr, node := range s.client.Nodes() {
		info, err := serverInfo(ctx, node)
		if isNoPermission(err) {
			s.opt.Logger.WarnContext(ctx, "redis: the user may not run INFO: replicas are not waited for, and revocations are replayed after every reconnect")
			break
		}
		if err != nil {
			return err
		}
		if err := s.suits(info); err != nil {
			return err
		}
		if policy := info["maxmemory_policy"]; policy != "" && policy != "noeviction" {
			s.opt.Logger.WarnContext(ctx, "redis: this server may evict sessions, and with them revocations: a user who was logged out everywhere could be logged in again. Set maxmemory-policy noeviction",
				"server", addr, "maxmemory-policy", policy, "maxmemory", info["maxmemory"])
		}
	}
	if _, err := s.survey(ctx); err != nil {
		return err
	}
	// Changes nothing, but needs every permission: to run scripts, and the keys.
	return s.do(ctx, run(scriptTouch, []string{s.sessionKey("probe", tagOf("probe"))}, "", "0", "1", "")).Error()
}

func (s *Store) suits(info map[string]string) error {
	switch mode := info["redis_mode"]; {
	case mode == "sentinel":
		return invalid("url: this is a Sentinel: expected redis+sentinel://")
	case mode == "cluster" && s.topology != redisurl.Cluster:
		return invalid("url: this server belongs to a Cluster: expected redis+cluster://")
	case mode == "standalone" && s.topology == redisurl.Cluster: // the library would take it
		return invalid("url: this server belongs to no Cluster: expected redis://")
	case s.topology == redisurl.Single && info["role"] == "slave":
		return invalid("url: this server is a read-only replica: expected its primary, or redis+sentinel://")
	case info["redis_version"] != "" && major(info["redis_version"]) < 7:
		return unsupported("server version %s: expected Redis 7.0 or newer, or Valkey", info["redis_version"])
	}
	return nil
}
