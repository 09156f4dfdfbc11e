package main

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/bind/dbsc"
	"github.com/spf13/pflag"
)

// bindingFlags say whether and how sessions are bound to devices.
type bindingFlags struct {
	on         bool
	lifetime   duration
	unboundFor duration
	key        string
}

var bindingFlagNames = []string{"dbsc", "dbsc-lifetime", "dbsc-unbound-for", "dbsc-key"}

func (f *bindingFlags) register(fl *pflag.FlagSet) {
	f.lifetime = duration(10 * time.Minute)
	fl.BoolVar(&f.on, "dbsc", false, "bind sessions to the devices they begin on, where browsers can; needs HTTPS")
	fl.Var(&f.lifetime, "dbsc-lifetime", "how long a device's proof is good, 10s to 24h")
	fl.Var(&f.unboundFor, "dbsc-unbound-for", "ask for another login this long after one that no device was bound to; 0s never asks")
	fl.StringVar(&f.key, "dbsc-key", "", "a `file` of at least 32 random characters, the same for all servers of one store")
}

// bind adds the binding to the rules; nil if it is not wanted.
func (f *bindingFlags) bind(rules *sojourn.Options, logger *slog.Logger) (*dbsc.Binder, error) {
	switch {
	case !f.on && (f.key != "" || f.unboundFor != 0):
		return nil, errors.New("--dbsc-key and --dbsc-unbound-for say how to bind sessions to devices; expected --dbsc too")
	case !f.on:
		return nil, nil
	case rules.Cookie.Insecure:
		return nil, errors.New("--dbsc: browsers bind sessions over HTTPS only, also on this machine; expected --tls-cert and --tls-key too")
	}
	o := &dbsc.Options{Lifetime: time.Duration(f.lifetime), UnboundFor: time.Duration(f.unboundFor), Exclude: []string{"/demo/assets/"}, Logger: logger}
	if o.Lifetime < 10*time.Second || o.Lifetime > 24*time.Hour {
		return nil, fmt.Errorf("--dbsc-lifetime %s: expected 10s to 24h", short(o.Lifetime))
	}
	if o.UnboundFor != 0 && o.UnboundFor < time.Minute {
		return nil, fmt.Errorf("--dbsc-unbound-for %s: expected at least 1m, in which a browser can register", short(o.UnboundFor))
	}
	if f.key != "" {
		content, err := os.ReadFile(f.key)
		if err != nil {
			return nil, fmt.Errorf("--dbsc-key %s: %w; expected a file of random characters, as \"openssl rand -hex 32\" makes them", f.key, cause(err))
		}
		if o.Key = bytes.TrimSpace(content); len(o.Key) < 32 {
			return nil, fmt.Errorf("--dbsc-key %s has %d characters, expected at least 32 random ones, as \"openssl rand -hex 32\" makes them", f.key, len(o.Key))
		}
	}
	return dbsc.New(rules, o)
}

// line is for the start-up lines.
func (f *bindingFlags) line() string {
	if !f.on {
		return "no; --dbsc binds sessions to devices"
	}
	line := "bound where browsers can, proven every " + short(time.Duration(f.lifetime))
	if f.unboundFor != 0 {
		line += "; unbound ones end after " + short(time.Duration(f.unboundFor))
	}
	return line
}
