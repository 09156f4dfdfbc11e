// Package redisurl reads the URLs that name Redis servers, for all packages that
// talk to one.
package redisurl

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// A Topology is how the servers behind a URL belong together.
type Topology string

// The topologies.
const (
	Single   Topology = "single"
	Cluster  Topology = "cluster"
	Sentinel Topology = "sentinel"
)

// A Target is what a URL says.
type Target struct {
	Topology       Topology
	TLS            bool
	Addrs          []string // host:port, at least one
	User, Password string
	DB             int
	Prefix         string // "" if the URL names none
	Master         string // Sentinel's name of the primary
	// Sentinels have users of their own.
	SentinelUser, SentinelPassword string
}

const urlForms = `redis://[user:password@]host[:port][/db], redis+cluster://host:port,host:port or ` +
	`redis+sentinel://host:port,host:port/name (rediss… for TLS)`

var schemes = map[string]Target{
	"redis":           {Topology: Single},
	"rediss":          {Topology: Single, TLS: true},
	"redis+cluster":   {Topology: Cluster},
	"rediss+cluster":  {Topology: Cluster, TLS: true},
	"redis+sentinel":  {Topology: Sentinel},
	"rediss+sentinel": {Topology: Sentinel, TLS: true},
}

// Parse reads a URL. Its errors never repeat the text, which may hold a password.
func Parse(text string) (Target, error) {
	scheme, rest, ok := strings.Cut(text, "://")
	t, known := schemes[strings.ToLower(scheme)]
	if !ok || !known {
		return t, invalid("expected %s", urlForms)
	}
	// Package net/url refuses several hosts, so they are taken out first.
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	authority, tail := rest[:end], rest[end:]
	if strings.Contains(tail, "@") {
		return t, invalid("in user and password, / is written %%2F, ? %%3F, # %%23, and elsewhere @ is written %%40")
	}
	credentials, hosts := "", authority
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		credentials, hosts = authority[:at+1], authority[at+1:]
	}
	u, err := url.Parse("redis://" + credentials + "host" + tail)
	if err != nil {
		return t, invalid("user, password or query is malformed: escape special characters as in %%40 for @")
	}
	t.User = u.User.Username()
	t.Password, _ = u.User.Password()
	if t.User != "" && t.Password == "" {
		return t, invalid("a user without a password: expected user:password@ or :password@")
	}
	if t.Addrs, err = parseHosts(hosts, t.Topology); err != nil {
		return t, err
	}
	if u.Fragment != "" {
		return t, invalid("expected no #")
	}
	if err := t.parsePath(strings.Trim(u.Path, "/")); err != nil {
		return t, err
	}
	return t, t.parseQuery(u.RawQuery)
}

func parseHosts(hosts string, top Topology) ([]string, error) {
	port := "6379"
	if top == Sentinel {
		port = "26379"
	}
	var addrs []string
	for addr := range strings.SplitSeq(hosts, ",") {
		host, p, err := net.SplitHostPort(addr)
		if err != nil { // no port
			host, p = strings.Trim(addr, "[]"), port
			if strings.Contains(host, ":") && !strings.HasPrefix(addr, "[") {
				return nil, invalid("host %q: expected host:port, IPv6 addresses in brackets", addr)
			}
		}
		n, err := strconv.ParseUint(p, 10, 16)
		if host == "" || err != nil || n == 0 || strings.ContainsAny(host, " \t@%") {
			return nil, invalid("host %q: expected host:port", addr)
		}
		addrs = append(addrs, net.JoinHostPort(host, p))
	}
	if top == Single && len(addrs) > 1 {
		return nil, invalid("several hosts: expected redis+cluster:// or redis+sentinel://")
	}
	return addrs, nil
}

func (t *Target) parsePath(path string) error {
	switch {
	case t.Topology == Sentinel && path == "":
		return invalid("expected the primary's name after the hosts, as in redis+sentinel://host:26379/mymaster")
	case t.Topology == Sentinel:
		t.Master = path
	case path != "":
		return t.setDB(path)
	}
	return nil
}

func (t *Target) parseQuery(raw string) error {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return invalid("the query is malformed")
	}
	for name, values := range query {
		value := values[len(values)-1]
		switch name {
		case "db":
			if err := t.setDB(value); err != nil {
				return err
			}
		case "prefix":
			t.Prefix = value
		case "sentinel-user":
			t.SentinelUser = value
		case "sentinel-password":
			t.SentinelPassword = value
		default:
			return invalid("unknown setting %q: expected db, prefix, sentinel-user or sentinel-password", name)
		}
	}
	if t.Topology != Sentinel && t.SentinelUser+t.SentinelPassword != "" {
		return invalid("sentinel-user and sentinel-password belong to redis+sentinel://")
	}
	return nil
}

func (t *Target) setDB(text string) error {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return invalid("database %q: expected a number, as in ?db=1", text)
	}
	if n != 0 && t.Topology == Cluster {
		return invalid("database %d: a Cluster has database 0 only; use a prefix instead", n)
	}
	t.DB = int(n)
	return nil
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("url: "+format, args...)
}
