package redisstore

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/sojournhq/sojourn"
)

// A topology is how the servers behind a URL belong together.
type topology string

const (
	single   topology = "single"
	cluster  topology = "cluster"
	sentinel topology = "sentinel"
)

// A target is what a URL says.
type target struct {
	topology       topology
	tls            bool
	addrs          []string
	user, password string
	db             int
	prefix         string // "" if the URL names none
	master         string // Sentinel's name of the primary
	// Sentinels have users of their own.
	sentinelUser, sentinelPassword string
}

const urlForms = `redis://[user:password@]host[:port][/db], redis+cluster://host:port,host:port or ` +
	`redis+sentinel://host:port,host:port/name (rediss… for TLS)`

var schemes = map[string]target{
	"redis":           {topology: single},
	"rediss":          {topology: single, tls: true},
	"redis+cluster":   {topology: cluster},
	"rediss+cluster":  {topology: cluster, tls: true},
	"redis+sentinel":  {topology: sentinel},
	"rediss+sentinel": {topology: sentinel, tls: true},
}

// parseURL never repeats the text in its errors: it may hold a password.
func parseURL(text string) (target, error) {
	scheme, rest, ok := strings.Cut(text, "://")
	t, known := schemes[strings.ToLower(scheme)]
	if !ok || !known {
		return t, invalid("url: expected %s", urlForms)
	}
	// Package net/url refuses several hosts, so they are taken out first.
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	authority, tail := rest[:end], rest[end:]
	if strings.Contains(tail, "@") {
		return t, invalid("url: in user and password, / is written %%2F, ? %%3F, # %%23, and elsewhere @ is written %%40")
	}
	credentials, hosts := "", authority
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		credentials, hosts = authority[:at+1], authority[at+1:]
	}
	u, err := url.Parse("redis://" + credentials + "host" + tail)
	if err != nil {
		return t, invalid("url: user, password or query is malformed: escape special characters as in %%40 for @")
	}
	t.user = u.User.Username()
	t.password, _ = u.User.Password()
	if t.user != "" && t.password == "" {
		return t, invalid("url: a user without a password: expected user:password@ or :password@")
	}
	if t.addrs, err = parseHosts(hosts, t.topology); err != nil {
		return t, err
	}
	if u.Fragment != "" {
		return t, invalid("url: expected no #")
	}
	if err := t.parsePath(strings.Trim(u.Path, "/")); err != nil {
		return t, err
	}
	return t, t.parseQuery(u.RawQuery)
}

func parseHosts(hosts string, top topology) ([]string, error) {
	port := "6379"
	if top == sentinel {
		port = "26379"
	}
	var addrs []string
	for addr := range strings.SplitSeq(hosts, ",") {
		host, p, err := net.SplitHostPort(addr)
		if err != nil { // no port
			host, p = strings.Trim(addr, "[]"), port
			if strings.Contains(host, ":") && !strings.HasPrefix(addr, "[") {
				return nil, invalid("url: host %q: expected host:port, IPv6 addresses in brackets", addr)
			}
		}
		n, err := strconv.ParseUint(p, 10, 16)
		if host == "" || err != nil || n == 0 || strings.ContainsAny(host, " \t@%") {
			return nil, invalid("url: host %q: expected host:port", addr)
		}
		addrs = append(addrs, net.JoinHostPort(host, p))
	}
	if top == single && len(addrs) > 1 {
		return nil, invalid("url: several hosts: expected redis+cluster:// or redis+sentinel://")
	}
	return addrs, nil
}

func (t *target) parsePath(path string) error {
	switch {
	case t.topology == sentinel && path == "":
		return invalid("url: expected the primary's name after the hosts, as in redis+sentinel://host:26379/mymaster")
	case t.topology == sentinel:
		t.master = path
	case path != "":
		return t.setDB(path)
	}
	return nil
}

func (t *target) parseQuery(raw string) error {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return invalid("url: the query is malformed")
	}
	for name, values := range query {
		value := values[len(values)-1]
		switch name {
		case "db":
			if err := t.setDB(value); err != nil {
				return err
			}
		case "prefix":
			t.prefix = value
		case "sentinel-user":
			t.sentinelUser = value
		case "sentinel-password":
			t.sentinelPassword = value
		default:
			return invalid("url: unknown setting %q: expected db, prefix, sentinel-user or sentinel-password", name)
		}
	}
	if t.topology != sentinel && t.sentinelUser+t.sentinelPassword != "" {
		return invalid("url: sentinel-user and sentinel-password belong to redis+sentinel://")
	}
	return nil
}

func (t *target) setDB(text string) error {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return invalid("url: database %q: expected a number, as in ?db=1", text)
	}
	if n != 0 && t.topology == cluster {
		return invalid("url: database %d: a Cluster has database 0 only; use a prefix instead", n)
	}
	t.db = int(n)
	return nil
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", sojourn.ErrInvalid, fmt.Sprintf(format, args...))
}
