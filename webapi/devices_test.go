package webapi

import (
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

func TestP13Devices(t *testing.T) {
	s := newSite(t, &Options{AllowDevices: true})
	phone := s.login("ada")
	s.advance(time.Minute)
	laptop, bob := s.login("ada"), s.login("bob")
	list := func(p *page) []any {
		t.Helper()
		return p.want(p.do("GET", "devices", ""), 200)["devices"].([]any)
	}
	devices := list(laptop)
	if len(devices) != 2 {
		t.Fatalf("devices %v", devices)
	}
	first, second := devices[0].(map[string]any), devices[1].(map[string]any)
	if first["current"] != true || second["current"] != false || first["id"] != laptop.status()["h"] || second["id"] != phone.status()["h"] {
		t.Errorf("devices %v", devices)
	}
	if first["created_ms_ago"] != 0.0 || second["created_ms_ago"] != 60e3 || second["last_seen_ms_ago"] != 60e3 || second["expires_in_ms"] != 840e3 {
		t.Errorf("times %v", devices)
	}
	for _, field := range []string{"label", "user_agent", "ip"} {
		if _, ok := first[field].(string); !ok {
			t.Errorf("%s is %v", field, first[field])
		}
	}

	// Another user's, an unknown and a malformed one are alike.
	bobs, _ := bob.status()["h"].(string)
	bobsID := currentID(t, s, "bob")
	for _, id := range []string{bobs, string(bobsID), "AAAAAAAAAAAAAAAA", "x", "%00", "..%2F..", "ada"} {
		laptop.fails(laptop.do("DELETE", "devices/"+id, ""), codeNoDevice)
	}
	if got := bob.status()["state"]; got != "active" {
		t.Fatalf("bob's session is %v", got)
	}

	laptop.want(laptop.do("DELETE", "devices/"+second["id"].(string), ""), 204)
	if m := phone.status(); m["state"] != "ended" || m["reason"] != "revoked" {
		t.Errorf("the phone: %v", m)
	}
	if got := list(laptop); len(got) != 1 {
		t.Errorf("after revoking: %v", got)
	}
	laptop.fails(laptop.do("DELETE", "devices/"+second["id"].(string), ""), codeNoDevice)

	// Revoking the session that asks is a logout.
	laptop.want(laptop.do("DELETE", "devices/"+first["id"].(string), ""), 204)
	if laptop.cookie != "" {
		t.Error("the cookie of the revoked session was left")
	}
}

func currentID(t *testing.T, s *site, owner string) sojourn.ID {
	t.Helper()
	list, err := s.manager.List(t.Context(), owner)
	if err != nil || len(list) == 0 {
		t.Fatal(list, err)
	}
	return list[0].ID
}

// A session of nobody is the only one of its user.
func TestDevicesOfNobody(t *testing.T) {
	s := newSite(t, &Options{AllowDevices: true})
	p, q := s.page(), s.page()
	p.want(p.do("POST", "/set?key=cart&value=1", ""), 200)
	q.want(q.do("POST", "/set?key=cart&value=1", ""), 200)
	if got := p.want(p.do("GET", "devices", ""), 200)["devices"].([]any); len(got) != 1 || got[0].(map[string]any)["current"] != true {
		t.Errorf("devices %v", got)
	}
	p.fails(p.do("DELETE", "devices/"+q.status()["h"].(string), ""), codeNoDevice)
}

func TestHandle(t *testing.T) {
	if handle("") != "" {
		t.Error("no session has a handle")
	}
	// Fixed: pages of all nodes and versions compare it.
	if got := handle("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"); got != "6WLzTR91OSQ8i2bJ" {
		t.Errorf("handle %q", got)
	}
}
