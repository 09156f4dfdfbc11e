package main

import (
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "30m": 30 * time.Minute, "1h30m": 90 * time.Minute, "14d": 14 * 24 * time.Hour,
	} {
		var d duration
		if err := d.Set(text); err != nil || time.Duration(d) != want {
			t.Errorf("Set(%q): %v, %v; want %v", text, time.Duration(d), err, want)
		}
	}
	for _, text := range []string{"", "30", "-5m", "0", "d", "-1d", "1.5d", "999999999999d", "ten"} {
		var d duration
		if d.Set(text) == nil {
			t.Errorf("Set(%q) was accepted as %v", text, time.Duration(d))
		}
	}
	for d, want := range map[time.Duration]string{
		30 * time.Minute: "30m", 12 * time.Hour: "12h", 24 * time.Hour: "24h", 336 * time.Hour: "14d",
		90 * time.Minute: "1h30m", 90 * time.Second: "1m30s", time.Second: "1s",
	} {
		if got := short(d); got != want {
			t.Errorf("short(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestAddress(t *testing.T) {
	for _, text := range []string{"127.0.0.1:8080", "[::1]:8080", ":0", "localhost:65535"} {
		var a address
		if err := a.Set(text); err != nil {
			t.Errorf("Set(%q): %v", text, err)
		}
	}
	for _, text := range []string{"", "8080", "127.0.0.1", "::1:8080", "host:http", "host:65536", "host:-1", "http://host:1"} {
		var a address
		if a.Set(text) == nil {
			t.Errorf("Set(%q) was accepted", text)
		}
	}
}

func TestProxies(t *testing.T) {
	var p proxies
	for _, text := range []string{"10.1.2.3/8", "192.0.2.7, ::1"} {
		if err := p.Set(text); err != nil {
			t.Errorf("Set(%q): %v", text, err)
		}
	}
	if got, want := p.String(), "10.0.0.0/8,192.0.2.7/32,::1/128"; got != want {
		t.Errorf("proxies are %s, want %s", got, want)
	}
	if p.Set("proxy.example") == nil || p.Set("") == nil {
		t.Error("a name and nothing were accepted as addresses")
	}
}

func TestAbout(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 s", 59 * time.Second: "59 s", time.Minute: "1 min", 2 * time.Hour: "2 h", 47 * time.Hour: "47 h", 49 * time.Hour: "2 days",
	} {
		if got := about(d); got != want {
			t.Errorf("about(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestDeviceOf(t *testing.T) {
	for agent, want := range map[string]string{
		"": "unknown",
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                                  "Firefox on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0":           "Edge on Windows",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1": "Safari on iPhone",
		"curl/8.5.0":  "curl",
		"\x1b[31mred": "unknown",
	} {
		if got := deviceOf(sojourn.Status{UserAgent: agent}); got != want {
			t.Errorf("deviceOf(%q) = %q, want %q", agent, got, want)
		}
	}
}

func TestPrintable(t *testing.T) {
	if got := printable("a\x1b[2J\nñ"); got != "a\uFFFD[2J\uFFFDñ" {
		t.Errorf("printable kept control characters: %q", got)
	}
}
