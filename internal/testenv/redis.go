package testenv

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	installRedis    = "apt-get install redis-server (Redis 7 or Valkey)"
	installSentinel = "apt-get install redis-sentinel (Redis 7 or Valkey)"
	redisPatience   = 20 * time.Second
)

// RedisOptions are the settings of a test's Redis.
type RedisOptions struct {
	// Config has further lines of redis.conf, such as "appendonly yes" or
	// "user app on >secret ~sojourn:* +@all".
	Config []string
	// TLS makes the server speak TLS only, with a certificate for 127.0.0.1 that
	// Redis.TLS trusts.
	TLS bool
	// Password is of the default user. Default none.
	Password string
}

// A Redis is one redis-server: a single one, a node of a Cluster, a replica or a
// Sentinel.
type Redis struct {
	*Process
	Addr string
	Port int
	TLS  *tls.Config // for clients, nil without TLS

	t     TB
	admin string // the default user's password
}

// StartRedis starts a redis-server that keeps nothing on disk, unless Config
// says so, and waits until it answers.
func StartRedis(t TB, opt *RedisOptions) *Redis {
	t.Helper()
	r := newRedis(t, opt, installRedis, nil, "redis-server", "valkey-server")
	r.Start()
	return r
}

func newRedis(t TB, opt *RedisOptions, install string, args []string, programs ...string) *Redis {
	t.Helper()
	if opt == nil {
		opt = &RedisOptions{}
	}
	path := Binary(t, install, programs...)
	r := &Redis{t: t, Port: Port(t), admin: opt.Password}
	r.Addr = Loopback(r.Port)
	dir := t.TempDir()
	conf := []string{"bind 127.0.0.1", "daemonize no", "protected-mode no", "dir " + dir}
	if len(args) == 0 {
		conf = append(conf, `save ""`, "repl-diskless-sync-delay 0")
	}
	if opt.TLS {
		c := selfSigned(t, dir)
		r.TLS = c.client
		conf = append(conf, "port 0", "tls-port "+strconv.Itoa(r.Port), "tls-auth-clients no",
			"tls-cert-file "+c.certFile, "tls-key-file "+c.keyFile, "tls-ca-cert-file "+c.certFile)
	} else {
		conf = append(conf, "port "+strconv.Itoa(r.Port))
	}
	if opt.Password != "" {
		conf = append(conf, "requirepass "+opt.Password)
	}
	conf = append(conf, opt.Config...)
	file := filepath.Join(dir, "redis.conf")
	if err := os.WriteFile(file, []byte(strings.Join(conf, "\n")+"\n"), 0o600); err != nil {
		t.Fatalf("%v", err)
	}
	r.Process = Command(t, dir, programs[0], path, append([]string{file}, args...))
	return r
}

// Start starts the server, again after Kill or Stop: at the same address, with
// what it kept on disk.
func (r *Redis) Start() {
	r.t.Helper()
	r.Process.Start()
	r.Process.Ready(redisPatience, func() error {
		_, err := r.do(time.Second, "PING")
		return err
	})
}

// Do sends a command on a connection of its own: the answer is a string, an
// int64, nil, or a []any of these.
func (r *Redis) Do(args ...string) any {
	r.t.Helper()
	answer, err := r.do(5*time.Second, args...)
	if err != nil {
		r.t.Fatalf("redis: %s: %v", args[0], err)
	}
	return answer
}

// Info is a field of the command INFO, "" if there is none.
func (r *Redis) Info(field string) string {
	r.t.Helper()
	text, _ := r.Do("INFO", "everything").(string)
	return infoField(text, field)
}

func infoField(text, field string) string {
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, field+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// expect waits until a field of INFO has the value.
func (r *Redis) expect(field, value string) {
	r.t.Helper()
	Eventually(r.t, "redis: "+field+" is "+value, redisPatience, func() error {
		text, err := r.do(time.Second, "INFO", "everything")
		if err != nil {
			return err
		}
		if got := infoField(text.(string), field); got != value {
			return fmt.Errorf("it is %q", got)
		}
		return nil
	})
}

// StartRedisReplica starts a replica of the server at address of, a Redis or a
// Proxy before it, and waits until it is in step.
func StartRedisReplica(t TB, of string, opt *RedisOptions) *Redis {
	t.Helper()
	var o RedisOptions
	if opt != nil {
		o = *opt
	}
	host, port, err := net.SplitHostPort(of)
	if err != nil {
		t.Fatalf("%v", err)
	}
	o.Config = append([]string{"replicaof " + host + " " + port}, o.Config...)
	r := StartRedis(t, &o)
	r.expect("master_link_status", "up")
	return r
}

// StartSentinel starts a Sentinel that alone decides about the primary, which it
// knows by that name, and takes it for dead after 300 ms.
func StartSentinel(t TB, name string, primary *Redis) *Redis {
	t.Helper()
	host, port, _ := net.SplitHostPort(primary.Addr)
	s := newRedis(t, &RedisOptions{Config: []string{
		fmt.Sprintf("sentinel monitor %s %s %s 1", name, host, port),
		fmt.Sprintf("sentinel down-after-milliseconds %s 300", name),
		fmt.Sprintf("sentinel failover-timeout %s 3000", name),
	}}, installSentinel, []string{"--sentinel"}, "redis-sentinel", "valkey-sentinel")
	s.Start()
	Eventually(t, "the Sentinel knows the replica", redisPatience, func() error {
		answer, err := s.do(time.Second, "SENTINEL", "REPLICAS", name)
		if err != nil {
			return err
		}
		if replicas, _ := answer.([]any); len(replicas) == 0 {
			return fmt.Errorf("it knows none")
		}
		return nil
	})
	return s
}
