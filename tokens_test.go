package sojourn_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn"
)

func TestP4NoIDIsAdopted(t *testing.T) {
	s := newSite(t, nil)
	c := s.client()
	planted := base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{7}, 42))
	for _, token := range []string{planted, "x", "%00", strings.Repeat("A", 56), strings.Repeat("A", 4000), planted + "A", planted[:55] + "="} {
		before := s.store.calls.Load()
		if a := c.send(token, "/get/k"); a.code != 200 || a.body != "" || a.cookie != "" {
			t.Errorf("%.60q: %+v", token, a)
		}
		if n := s.store.calls.Load() - before; n > 1 {
			t.Errorf("%.60q: %d store calls", token, n)
		}
		if n := len(s.store.Store.(*mapStore).recs); n != 0 {
			t.Errorf("%.60q: %d records", token, n)
		}
	}
	a := c.send(planted, "/login/ada")
	if a.cookie == "" || a.cookie[:28] == planted[:28] {
		t.Errorf("login adopted a planted token: %+v", a)
	}
	if b := c.send(planted, "/owner"); b.body != "" {
		t.Errorf("the planted token became a session: %+v", b)
	}
}

// Fixation: whoever planted an anonymous session of his own gains nothing when
// the victim logs in with it.
func TestP4FixationGainsNothing(t *testing.T) {
	s := newSite(t, nil)
	attacker, victim := s.client(), s.client()
	attacker.ok("/set/k/planted")
	victim.token = attacker.token
	victim.ok("/login/ada")
	victim.want("/owner", 200, "ada")
	victim.want("/get/k", 200, "planted")
	if a := attacker.send(attacker.token, "/owner"); a.body != "" {
		t.Errorf("the planted session is logged in: %+v", a)
	}
	if a := attacker.send(attacker.token, "/status"); a.body != "ended moved" {
		t.Errorf("the planted session: %+v", a)
	}
	again := victim.token
	victim.ok("/login/ada") // step-up: a new token, too
	if victim.token[:28] == again[:28] {
		t.Error("a second login kept the ID")
	}
	if a := victim.send(again, "/owner"); a.body != "" {
		t.Errorf("the token before the second login lives: %+v", a)
	}
}

func TestLoginAsAnotherUserStartsEmpty(t *testing.T) {
	s := newSite(t, nil)
	c := s.client()
	c.ok("/login/ada")
	c.ok("/set/k/private")
	old := c.token
	c.ok("/login/bob")
	c.want("/owner", 200, "bob")
	c.want("/get/k", 200, "")
	if a := c.send(old, "/status"); a.body != "ended replaced" {
		t.Errorf("the former user's session: %+v", a)
	}
}

func TestP6TheStoreNeverLearnsAToken(t *testing.T) {
	var log bytes.Buffer
	s := newSite(t, &sojourn.Options{Logger: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	c := s.client()
	var tokens []string
	keep := func(a answer) {
		if a.cookie != "" && a.cookie != "-" {
			tokens = append(tokens, a.cookie)
		}
	}
	keep(c.ok("/set/k/v"))
	keep(c.ok("/login/ada"))
	for range 8 {
		s.pass(20 * 60e9)
		keep(c.ok("/add")) // rotations, pending and confirmed
	}
	c.send(tokens[len(tokens)-2], "/owner")
	if len(tokens) < 3 {
		t.Fatalf("%d tokens", len(tokens))
	}
	var stored bytes.Buffer
	for id, r := range s.store.Store.(*mapStore).recs {
		fmt.Fprintf(&stored, "%s %+v ", id, r)
		stored.Write(r.Payload)
	}
	for _, text := range tokens {
		raw, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range [][]byte{raw[22:], []byte(text[30:])} {
			if bytes.Contains(stored.Bytes(), secret) {
				t.Error("a secret is in the store")
			}
			if bytes.Contains(log.Bytes(), secret) {
				t.Error("a secret is in the log")
			}
		}
		_, err = s.m.Authenticate(t.Context(), text+"x")
		if err == nil || strings.Contains(err.Error(), text[30:]) {
			t.Errorf("error shows the token: %v", err)
		}
	}
	if log.Len() == 0 {
		t.Error("nothing was logged, so nothing was checked")
	}
	// What the store holds does not let its reader in.
	for _, r := range s.store.Store.(*mapStore).recs {
		for i := 0; i+20 <= len(r.Payload); i++ {
			id, _ := base64.RawURLEncoding.DecodeString(string(r.ID))
			forged := base64.RawURLEncoding.EncodeToString(append(id, r.Payload[i:i+20]...))
			if _, err := s.m.Authenticate(t.Context(), forged); err == nil {
				t.Fatal("a stored string is a secret")
			}
		}
	}
}

func TestP10NothingForNobody(t *testing.T) {
	s := newSite(t, nil)
	c := s.client()
	for _, path := range []string{"/plain", "/get/k", "/count", "/owner", "/status", "/logout"} {
		a := c.ok(path)
		if a.cookie != "" {
			t.Errorf("%s set a cookie: %+v", path, a)
		}
	}
	if n := s.store.calls.Load(); n != 0 {
		t.Errorf("%d store calls, expected 0", n)
	}
	if _, err := s.m.Authenticate(t.Context(), "short"); !errors.Is(err, sojourn.ErrInvalid) {
		t.Error(err)
	}
	if a := c.ok("/plain"); a.header.Get("Vary") != "" {
		t.Errorf("a request that never used its session varies: %v", a.header)
	}
	if a := c.ok("/get/k"); a.header.Get("Vary") != "Cookie" {
		t.Errorf("a request that read its session does not vary: %v", a.header)
	}
	for range 100_000 {
		c.send("", "/plain")
	}
	if n := s.store.calls.Load(); n != 0 {
		t.Errorf("%d store calls after 100,000 requests, expected 0", n)
	}
}
