package memcachestore

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/sojournhq/sojourn"
)

const defaultPort = "11211"

// parseURL returns the servers of memcached://host[:port][,host[:port]…].
func parseURL(text string) ([]string, error) {
	bad := func(format string, args ...any) ([]string, error) {
		return nil, fmt.Errorf("%w: URL: "+format+"; expected memcached://host:port[,host:port…]", append([]any{sojourn.ErrInvalid}, args...)...)
	}
	rest, ok := strings.CutPrefix(text, "memcached://")
	if !ok {
		scheme, _, found := strings.Cut(text, "://")
		if !found || len(scheme) > 20 {
			return bad("no scheme")
		}
		return bad("scheme %q", scheme)
	}
	rest = strings.TrimSuffix(rest, "/")
	switch {
	case strings.Contains(rest, "@"): // not shown: it may hold a password
		return bad("Memcached's text protocol has no credentials")
	case strings.ContainsAny(rest, "?#"):
		return bad("there are no parameters, see Options")
	case strings.Contains(rest, "/"):
		return bad("there is no path, see Options.Prefix")
	}
	var servers []string
	for hostport := range strings.SplitSeq(rest, ",") {
		server, err := parseServer(hostport)
		if err != nil {
			return bad("%q: %v", hostport, err)
		}
		if slices.Contains(servers, server) {
			return bad("%q is there twice", server)
		}
		servers = append(servers, server)
	}
	return servers, nil
}

func parseServer(text string) (string, error) {
	host, port, err := net.SplitHostPort(text)
	if err != nil && !strings.Contains(text, ":") || strings.HasSuffix(text, "]") {
		host, port, err = strings.Trim(text, "[]"), defaultPort, nil
	}
	switch {
	case err != nil:
		return "", fmt.Errorf("not a host and port")
	case host == "":
		return "", fmt.Errorf("the host is missing")
	case strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || r >= 127 || strings.ContainsRune(`[]"\%<>`, r) }):
		return "", fmt.Errorf("the host has characters that hosts have not")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", fmt.Errorf("the port is not 1 to 65535")
	}
	return net.JoinHostPort(strings.ToLower(host), port), nil
}
