package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// duration is a flag of time: Go's spelling, and days.
type duration time.Duration

func (d *duration) Type() string   { return "duration" }
func (d *duration) String() string { return short(time.Duration(*d)) }

func (d *duration) Set(s string) error {
	v, err := time.ParseDuration(s)
	if days, ok := strings.CutSuffix(s, "d"); err != nil && ok {
		n, e := strconv.Atoi(days)
		if v, err = time.Duration(n)*24*time.Hour, e; n > 100_000 {
			err = strconv.ErrRange
		}
	}
	if err != nil || v <= 0 {
		return errors.New("expected a duration above zero, as in 90s, 30m, 12h or 14d")
	}
	*d = duration(v)
	return nil
}

// proxies is a list of address ranges.
type proxies []netip.Prefix

func (p *proxies) Type() string { return "cidr,..." }

func (p *proxies) String() string {
	var s []string
	for _, one := range *p {
		s = append(s, one.String())
	}
	return strings.Join(s, ",")
}

// Set adds to the list, so that the flag may be repeated.
func (p *proxies) Set(s string) error {
	for one := range strings.SplitSeq(s, ",") {
		one = strings.TrimSpace(one)
		prefix, err := netip.ParsePrefix(one)
		if err != nil {
			var a netip.Addr
			if a, err = netip.ParseAddr(one); err == nil {
				prefix = netip.PrefixFrom(a, a.BitLen())
			}
		}
		if err != nil {
			return errors.New("expected addresses or ranges, as in 10.0.0.7 or 10.0.0.0/8, separated by commas")
		}
		*p = append(*p, prefix.Masked())
	}
	return nil
}

// choice is a flag with a few possible values.
type choice struct {
	value string
	all   []string
}

func (c *choice) Type() string   { return strings.Join(c.all, "|") }
func (c *choice) String() string { return c.value }

func (c *choice) Set(s string) error {
	for _, one := range c.all {
		if strings.EqualFold(s, one) {
			c.value = one
			return nil
		}
	}
	return fmt.Errorf("expected one of %s", strings.Join(c.all, ", "))
}

// level translates the choice of --log-level.
func (c *choice) level() (l slog.Level) {
	l.UnmarshalText([]byte(c.value)) // knows all four names
	return l
}

// short writes a duration as people do: 30m, 12h, 14d, 1h30m.
func short(d time.Duration) string {
	if d >= 48*time.Hour && d%(24*time.Hour) == 0 {
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
