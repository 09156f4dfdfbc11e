package webapi

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

func TestP13Devices(t *testing.T) {
	s := newSite(t, &Options{AllowDevices: true, DeviceName: func(ua string) string { return "a " + ua }})
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
	for _, field := range []string{"label", "name", "user_agent", "ip"} {
		if _, ok := first[field].(string); !ok {
			t.Errorf("%s is %v", field, first[field])
		}
	}

	// Each gets a label, by whichever of them asks.
	named := func(p *page, id any, body string) *httptest.ResponseRecorder {
		return p.do("PATCH", "devices/"+id.(string), body)
	}
	laptop.want(named(laptop, first["id"], `{"label":"work"}`), 204)
	laptop.want(named(laptop, second["id"], `{"label":"<b>phone</b>"}`), 204)
	if got := list(phone); got[0].(map[string]any)["label"] != "work" || got[1].(map[string]any)["label"] != "<b>phone</b>" {
		t.Errorf("labels: %v", got)
	}
	laptop.want(named(laptop, second["id"], `{"label":null}`), 204)
	if got := list(laptop); got[1].(map[string]any)["label"] != "" {
		t.Errorf("label taken off: %v", got)
	}
	for _, body := range []string{`{}`, `{"label":7}`, `{"label":"a","owner":"eve"}`, `{"label":"` + strings.Repeat("x", 65) + `"}`, `{"label":"a\u0000"}`} {
		laptop.fails(named(laptop, second["id"], body), codeInvalidRequest)
	}
	laptop.fails(named(laptop, second["id"], `[`), codeMalformedJSON)
	laptop.fails(laptop.do("PATCH", "devices/"+second["id"].(string), `{"label":"x"}`, "Content-Type", "text/plain"), codeUnsupportedMediaType)
	for _, id := range []any{bob.status()["h"], "AAAAAAAAAAAAAAAA"} {
		laptop.fails(named(laptop, id, `{"label":"mine"}`), codeNoDevice)
	}
	bob.fails(named(bob, first["id"], `{"label":"mine"}`), codeNoDevice)
	if got := list(bob); got[0].(map[string]any)["label"] != "" {
		t.Errorf("bob's label: %v", got)
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

// A login that finds no room tells the page which sessions there are, by their
// handles; the application turns the one chosen into an ID of that user's only.
func TestSessionLimitAsks(t *testing.T) {
	s := newSite(t, nil, func(o *sojourn.Options) { o.MaxSessions, o.OnMaxSessions = 1, "ask" })
	first, bob := s.login("ada"), s.login("bob")
	_, _, err := s.manager.Create(t.Context(), "ada")
	w := httptest.NewRecorder()
	s.manager.Error(w, httptest.NewRequest("POST", "/login", nil), err)
	m := first.fails(w, codeSessionLimit)
	devices, _ := m["devices"].([]any)
	if m["limit"] != 1.0 || len(devices) != 1 {
		t.Fatalf("%v", m)
	}
	if strings.Contains(w.Body.String(), string(currentID(t, s, "ada"))) {
		t.Error("the ID itself reached the page")
	}
	handle := devices[0].(map[string]any)["id"].(string)
	if id, err := Device(t.Context(), s.manager, "ada", handle); err != nil || id != currentID(t, s, "ada") {
		t.Errorf("%q, %v", id, err)
	}
	for _, wrong := range []string{bob.status()["h"].(string), "", "AAAAAAAAAAAAAAAA"} {
		if id, err := Device(t.Context(), s.manager, "ada", wrong); !errors.Is(err, sojourn.ErrNotFound) || id != "" {
			t.Errorf("%q is %q, %v", wrong, id, err)
		}
	}
}

// The answer to what needs a step-up carries the challenge of RFC 9470 too.
func TestStepUpChallenge(t *testing.T) {
	s := newSite(t, nil)
	session, _, err := s.manager.Create(t.Context(), "ada")
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	(&API{}).fail(w, httptest.NewRequest("GET", "/", nil), session.RequireLevel(t.Context(), 3))
	if got := w.Header().Get("WWW-Authenticate"); w.Code != 403 || !strings.Contains(got, `error="insufficient_user_authentication"`) || !strings.Contains(got, `acr_values="aal3"`) {
		t.Errorf("%d %q", w.Code, got)
	}
	if body := w.Body.String(); !strings.Contains(body, `"required_level":3`) || !strings.Contains(body, `"level":1`) {
		t.Error(body)
	}
}
