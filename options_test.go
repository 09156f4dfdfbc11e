package sojourn_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

func TestOptionsDefaults(t *testing.T) {
	const day = 24 * time.Hour
	for name, opt := range map[string]*sojourn.Options{"nil": nil, "zero": {}} {
		m, err := sojourn.New(newMapStore(), opt)
		if err != nil {
			t.Fatal(name, err)
		}
		o := m.Options()
		if want := (sojourn.Policy{Idle: 30 * time.Minute, Absolute: 12 * time.Hour, Rotate: time.Hour, Grace: 30 * time.Second}); o.Policy != want {
			t.Errorf("Policy %+v, expected %+v", o.Policy, want)
		}
		if want := (sojourn.Policy{Idle: 14 * day, Absolute: 30 * day, CookieLifetime: 30 * day, Rotate: time.Hour, Grace: 30 * time.Second}); o.Remember != want {
			t.Errorf("Remember %+v, expected %+v", o.Remember, want)
		}
		if want := (sojourn.Cookie{Name: "__Host-sojourn", Path: "/", SameSite: http.SameSiteLaxMode}); o.Cookie != want {
			t.Errorf("Cookie %+v, expected %+v", o.Cookie, want)
		}
		got := fmt.Sprint(o.MaxRecord, o.MaxMembers, o.MaxKey, o.MaxHeader, o.LoadTimeout, o.CommitTimeout, o.TombstoneFor)
		if want := "65536 256 128 32768 250ms 500ms 10m0s"; got != want {
			t.Errorf("limits %s, expected %s", got, want)
		}
		if o.Header != "" || o.TrustedProxies != nil || o.TrustedOrigins != nil || o.InsecureSkipOriginCheck || o.TouchEveryRequest || len(o.OwnerKey) != 0 || len(o.Observers) != 0 {
			t.Errorf("not the safe defaults: %+v", o)
		}
		if o.Logger == nil || o.Clock == nil || o.ErrorHandler == nil {
			t.Error("a function is missing")
		}
	}
}

// Every refusal says which option, what was found and what was expected.
func TestOptionsRefusals(t *testing.T) {
	policy := func(p sojourn.Policy) sojourn.Options { return sojourn.Options{Policy: p} }
	for _, c := range []struct {
		opt  sojourn.Options
		want string
	}{
		{policy(sojourn.Policy{Idle: time.Second - 1}), "Options.Policy: Idle is 999.999999ms, expected at least 1s"},
		{policy(sojourn.Policy{Idle: -time.Hour}), "Options.Policy: Idle is -1h0m0s, expected at least 1s"},
		{policy(sojourn.Policy{Absolute: time.Minute}), "Options.Policy: Absolute (1m0s) is shorter than Idle (30m0s)"},
		{policy(sojourn.Policy{Absolute: 401 * 24 * time.Hour}), "Options.Policy: Absolute is 9624h0m0s, expected at most 9600h0m0s"},
		{policy(sojourn.Policy{CookieLifetime: -1}), "Options.Policy: CookieLifetime is -1ns, expected 0 to 9600h0m0s"},
		{policy(sojourn.Policy{CookieLifetime: 9600*time.Hour + 1}), "Options.Policy: CookieLifetime is 9600h0m0.000000001s, expected 0 to 9600h0m0s"},
		{policy(sojourn.Policy{Grace: -time.Second}), "Options.Policy: Grace is -1s, expected more than 0"},
		{policy(sojourn.Policy{Rotate: 59 * time.Second}), "Options.Policy: Rotate (59s) is shorter than twice Grace (30s)"},
		{sojourn.Options{Remember: sojourn.Policy{Idle: time.Millisecond}}, "Options.Remember: Idle is 1ms, expected at least 1s"},
		{sojourn.Options{MaxRecord: 1023}, "Options.MaxRecord is 1023, expected 1024 to 16777216"},
		{sojourn.Options{MaxRecord: 16<<20 + 1}, "Options.MaxRecord is 16777217, expected 1024 to 16777216"},
		{sojourn.Options{MaxMembers: -1}, "Options.MaxMembers is -1, expected 1 to 65536"},
		{sojourn.Options{MaxKey: 1025}, "Options.MaxKey is 1025, expected 1 to 1024"},
		{sojourn.Options{MaxHeader: 1}, "Options.MaxHeader is 1, expected 1024 to 1048576"},
		{sojourn.Options{LoadTimeout: -1}, "Options.LoadTimeout is -1ns, expected at least 1ms"},
		{sojourn.Options{CommitTimeout: time.Microsecond}, "Options.CommitTimeout is 1µs, expected at least 1ms"},
		{sojourn.Options{TombstoneFor: time.Second}, "Options.TombstoneFor is 1s, expected at least 1m0s"},
		{sojourn.Options{Header: "a b"}, `Options.Header "a b", expected the name of a request header other than Cookie`},
		{sojourn.Options{Header: "cookie"}, `Options.Header "Cookie", expected the name of a request header other than Cookie`},
		{sojourn.Options{OwnerKey: make([]byte, 15)}, "Options.OwnerKey has 15 bytes, expected none or at least 16 random ones"},
	} {
		_, err := sojourn.New(newMapStore(), &c.opt)
		if !errors.Is(err, sojourn.ErrInvalid) || err.Error() != "sojourn: invalid: "+c.want {
			t.Errorf("\n got %v\nwant sojourn: invalid: %s", err, c.want)
		}
	}
	if _, err := sojourn.New(nil, nil); !errors.Is(err, sojourn.ErrInvalid) || !strings.Contains(err.Error(), "memstore.New(nil)") {
		t.Errorf("nil store: %v", err)
	}
}

func TestOptionsTaken(t *testing.T) {
	for _, opt := range []sojourn.Options{
		{Policy: sojourn.Policy{Idle: time.Second, Absolute: time.Second}},
		{Policy: sojourn.Policy{Absolute: 400 * 24 * time.Hour, CookieLifetime: 400 * 24 * time.Hour}},
		{Policy: sojourn.Policy{Rotate: -1}},
		{Policy: sojourn.Policy{Rotate: time.Minute}},
		{Policy: sojourn.AAL(1)}, {Policy: sojourn.AAL(2)}, {Policy: sojourn.AAL(3)},
		{OwnerKey: make([]byte, 16)}, {MaxRecord: 1024, MaxMembers: 1, MaxKey: 1, MaxHeader: 1024},
	} {
		if err := settingsError(t, opt); err != "" {
			t.Errorf("%+v: %s", opt.Policy, err)
		}
	}
	// A longer idle timeout alone lifts the default absolute one.
	m, err := sojourn.New(newMapStore(), &sojourn.Options{Policy: sojourn.Policy{Idle: 48 * time.Hour}})
	if err != nil || m.Options().Policy.Absolute != 48*time.Hour {
		t.Errorf("Absolute %v: %v", m.Options().Policy.Absolute, err)
	}
}

// Options are copied: what the caller does to them afterwards changes nothing.
func TestOptionsAreCopied(t *testing.T) {
	o := &sojourn.Options{
		OwnerKey:       bytes.Repeat([]byte{1}, 16),
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
		TrustedOrigins: []string{"https://friend.example.org"},
		Observers:      []sojourn.Observer{new(events)},
	}
	m, err := sojourn.New(newMapStore(), o)
	if err != nil {
		t.Fatal(err)
	}
	o.OwnerKey[0], o.Observers[0] = 9, nil
	o.TrustedProxies[0] = netip.MustParsePrefix("0.0.0.0/0")
	o.TrustedOrigins[0] = "https://evil.example.org"
	o.Cookie.Name, o.MaxKey = "evil", 1
	got := m.Options()
	if got.OwnerKey[0] != 1 || got.Observers[0] == nil || got.Cookie.Name != "__Host-sojourn" || got.MaxKey != 128 {
		t.Error("the manager follows its caller's Options")
	}
	if got.TrustedProxies[0].String() != "10.0.0.0/8" {
		t.Errorf("TrustedProxies is now %v", got.TrustedProxies)
	}
	if got.TrustedOrigins[0] != "https://friend.example.org" {
		t.Errorf("TrustedOrigins is now %v", got.TrustedOrigins)
	}
}

// NIST SP 800-63B-4 §2.1.3, §2.2.3, §2.3.3.
func TestAAL(t *testing.T) {
	for level, want := range map[int]string{1: "720h0m0s 720h0m0s", 2: "1h0m0s 24h0m0s", 3: "15m0s 12h0m0s", 0: "15m0s 12h0m0s", -1: "15m0s 12h0m0s", 4: "15m0s 12h0m0s"} {
		p := sojourn.AAL(level)
		if got := fmt.Sprint(p.Idle, " ", p.Absolute); got != want {
			t.Errorf("AAL(%d) is %s, expected %s", level, got, want)
		}
		if p.CookieLifetime != 0 {
			t.Errorf("AAL(%d) has a persistent cookie", level)
		}
	}
}

// SetPolicy is checked like Options, as it will be in force.
func TestSetPolicyRefusals(t *testing.T) {
	s := newSite(t, nil)
	session, _, err := s.m.Create(t.Context(), "ada")
	if err != nil {
		t.Fatal(err)
	}
	for want, p := range map[string]sojourn.Policy{
		"sojourn: invalid: policy: Idle is 1ms, expected at least 1s":                    {Idle: time.Millisecond},
		"sojourn: invalid: policy: Absolute (12h0m0s) is shorter than Idle (24h0m0s)":    {Idle: 24 * time.Hour},
		"sojourn: invalid: policy: Rotate (1s) is shorter than twice Grace (30s)":        {Rotate: time.Second},
		"sojourn: invalid: policy: CookieLifetime is -1ns, expected 0 to 9600h0m0s":      {CookieLifetime: -1},
		"sojourn: invalid: policy: Absolute is 9624h0m0s, expected at most 9600h0m0s":    {Absolute: 401 * 24 * time.Hour},
		"sojourn: invalid: policy: Absolute (1m0s) is shorter than Idle (30m0s)":         {Absolute: time.Minute},
		"sojourn: invalid: policy: Grace is -1ns, expected more than 0":                  {Grace: -1},
		"sojourn: invalid: policy: Rotate (1h0m0s) is shorter than twice Grace (1h0m0s)": {Grace: time.Hour},
	} {
		if err := session.SetPolicy(t.Context(), p); !errors.Is(err, sojourn.ErrInvalid) || err.Error() != want {
			t.Errorf("%+v\n got %v\nwant %s", p, err, want)
		}
	}
}

// "Negative: only at login" means any negative duration, also one that vanishes
// when it is stored in milliseconds.
func TestPolicyNegativeMeansNever(t *testing.T) {
	for _, never := range []time.Duration{-time.Hour, -1} {
		for name, options := range map[string]*sojourn.Options{
			"SetPolicy": nil,
			"Remember":  {Remember: sojourn.Policy{Idle: 10 * time.Hour, Rotate: never}},
		} {
			s := newSite(t, options)
			session, token, err := s.m.Create(t.Context(), "ada")
			if err != nil {
				t.Fatal(err)
			}
			if name == "Remember" {
				err = session.Remember(t.Context(), true)
			} else {
				err = session.SetPolicy(t.Context(), sojourn.Policy{Idle: 10 * time.Hour, Rotate: never})
			}
			if err := errors.Join(err, session.Save(t.Context())); err != nil {
				t.Fatal(err)
			}
			s.clock.advance(2 * time.Hour)
			a := s.exchange("GET", "/owner", cookies("__Host-sojourn="+token.Reveal()))
			if a.body != "ada" || a.header.Get("Set-Cookie") != "" {
				t.Errorf("%s(Rotate: %v): %q, Set-Cookie %q, expected no rotation", name, never, a.body, a.header.Get("Set-Cookie"))
			}
		}
	}
}
