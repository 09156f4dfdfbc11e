package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
)

// address is where to listen.
type address string

func (a *address) Type() string   { return "host:port" }
func (a *address) String() string { return string(*a) }

func (a *address) Set(s string) error {
	expected := errors.New("expected host:port, as in 127.0.0.1:8080, [::1]:8080 or :8080 for all addresses")
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		return expected
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return errors.New("expected a port from 0 (any free one) to 65535, as in 127.0.0.1:8080")
	}
	*a = address(s)
	return nil
}

// listen binds the address and says what is in the way if it cannot.
func (a address) listen() (net.Listener, error) {
	l, err := net.Listen("tcp", string(a))
	host, port, _ := net.SplitHostPort(string(a))
	var dns *net.DNSError
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("cannot listen on %s: the port is in use; end the program that has it, or choose another, as in --listen %s",
			a, net.JoinHostPort(host, nextPort(port)))
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("cannot listen on %s: this user may not use port %s; choose one above 1023, as in --listen %s",
			a, port, net.JoinHostPort(host, "8080"))
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, fmt.Errorf("cannot listen on %s: this machine does not have the address %s; expected one of its own, or 127.0.0.1", a, host)
	case errors.As(err, &dns):
		return nil, fmt.Errorf("cannot listen on %s: the name %q has no address; expected an IP address, as in 127.0.0.1:%s", a, host, port)
	}
	return nil, fmt.Errorf("cannot listen on %s: %w", a, err)
}

func nextPort(port string) string {
	n, _ := strconv.Atoi(port)
	if n == 0 || n == 65535 {
		return "8081"
	}
	return strconv.Itoa(n + 1)
}

// loopback reports whether only this machine can reach the listener.
func loopback(l net.Listener) bool {
	ap, err := netip.ParseAddrPort(l.Addr().String())
	return err == nil && ap.Addr().Unmap().IsLoopback()
}

// pageURL is what to open in a browser for a listener.
func pageURL(l net.Listener, given address, tls bool) string {
	scheme := "http"
	if tls {
		scheme = "https"
	}
	host, _, _ := net.SplitHostPort(string(given))
	addr, port, _ := net.SplitHostPort(l.Addr().String())
	if ip, err := netip.ParseAddr(addr); host == "" || err == nil && ip.IsUnspecified() {
		host = "localhost"
	}
	if strings.Contains(host, "%") { // a zone: no browser accepts one
		host, _, _ = strings.Cut(host, "%")
	}
	return scheme + "://" + net.JoinHostPort(host, port) + "/"
}
