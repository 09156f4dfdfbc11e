package sojourn_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sojournhq/sojourn"
)

func TestP13EveryonesDevices(t *testing.T) {
	s := newSite(t, nil)
	s.handle("/list", func(ctx context.Context, _ *http.Request) (any, error) {
		owner, err := session(ctx).Owner(ctx)
		if err != nil {
			return nil, err
		}
		list, err := s.m.List(ctx, owner)
		var out []string
		for _, d := range list {
			mark := ""
			if d.Current {
				mark = "*"
			}
			out = append(out, d.Label+mark)
		}
		return strings.Join(out, " "), err
	})
	s.handle("/label/{l}", func(ctx context.Context, r *http.Request) (any, error) {
		return "", session(ctx).SetLabel(ctx, r.PathValue("l"))
	})
	s.handle("/others", func(ctx context.Context, _ *http.Request) (any, error) {
		return "", s.m.RevokeOthers(ctx, session(ctx))
	})
	var devices [3]*client
	for i := range devices {
		devices[i] = s.client()
		devices[i].ok("/login/ada")
		s.pass(time.Minute)
		devices[i].ok("/label/" + string(rune('a'+i)))
		s.pass(time.Minute)
	}
	bob := s.client()
	bob.ok("/login/bob")
	bob.want("/list", 200, "*")
	devices[1].want("/list", 200, "c b* a")

	devices[1].ok("/others")
	devices[1].want("/list", 200, "b*")
	devices[0].want("/status", 200, "ended revoked")
	devices[2].want("/owner", 200, "")
	bob.want("/owner", 200, "bob")
	devices[1].ok("/add") // the kept one goes on
	devices[1].want("/count", 200, "1")

	if err := s.m.RevokeOwner(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	devices[1].want("/status", 200, "ended revoked")
	bob.want("/owner", 200, "bob")
	if list, err := s.m.List(t.Context(), "ada"); err != nil || len(list) != 0 {
		t.Errorf("after revoke-all: %v, %v", list, err)
	}
	fresh := s.client()
	fresh.ok("/login/ada")
	fresh.want("/owner", 200, "ada")
	if err := s.m.RevokeOwner(t.Context(), ""); !errors.Is(err, sojourn.ErrInvalid) {
		t.Errorf("revoking nobody: %v", err)
	}
	if list, err := s.m.List(t.Context(), ""); err != nil || len(list) != 0 {
		t.Errorf("listing nobody: %v, %v", list, err)
	}
	if got := s.events.of(sojourn.EventOwnerRevoked); len(got) != 2 {
		t.Errorf("%d events, expected 2", len(got))
	}
}

// Revoke-all kills a login that races it, or the login came after it: whichever
// order, every token handed out before the call returned is dead.
func TestP13RevokeAllKillsARacingLogin(t *testing.T) {
	s := newSite(t, nil)
	for range 100 {
		var wg sync.WaitGroup
		before := make([]answer, 4)
		for i := range before {
			before[i] = s.client().ok("/login/ada")
		}
		during := make([]answer, 4)
		for i := range during {
			wg.Go(func() { during[i] = s.client().get("/login/ada") })
		}
		if err := s.m.RevokeOwner(t.Context(), "ada"); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		for _, a := range before {
			if b := s.client().send(a.cookie, "/owner"); b.body != "" {
				t.Fatal("a session from before revoke-all lives")
			}
		}
		live := 0
		for _, a := range during {
			if b := s.client().send(a.cookie, "/owner"); b.body == "ada" {
				live++
			}
		}
		list, err := s.m.List(t.Context(), "ada")
		if err != nil || len(list) != live {
			t.Fatalf("%d live, %d listed, %v", live, len(list), err)
		}
		if err := s.m.RevokeOwner(t.Context(), "ada"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDeviceIsDescribed(t *testing.T) {
	s := newSite(t, nil)
	s.mux.HandleFunc("/in", func(w http.ResponseWriter, r *http.Request) {
		if err := session(r.Context()).Login(r.Context(), "ada"); err != nil {
			t.Error(err)
		}
	})
	r, _ := http.NewRequest("GET", "/in", nil)
	r.RemoteAddr = "[2001:db8::7]:4711"
	r.Header.Set("User-Agent", strings.Repeat("Mozilla/5.0 ", 100))
	begin := s.clock.now()
	s.h.ServeHTTP(&sink{h: http.Header{}}, r)
	list, err := s.m.List(t.Context(), "ada")
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	d := list[0]
	if d.IP != "2001:db8::7" || len(d.UserAgent) != 256 || !d.Created.Equal(begin) || !d.AuthTime.Equal(begin) || !d.LastSeen.Equal(begin) {
		t.Errorf("device: %+v", d)
	}
}

func TestDevicesOfTheSession(t *testing.T) {
	s := newSite(t, nil)
	s.handle("/devices", func(ctx context.Context, _ *http.Request) (any, error) {
		list, err := session(ctx).Devices(ctx)
		return len(list), err
	})
	s.handle("/revoke/{id}", func(ctx context.Context, r *http.Request) (any, error) {
		return "", session(ctx).RevokeDevice(ctx, sojourn.ID(r.PathValue("id")))
	})
	var ids []string
	one, two, bob := s.client(), s.client(), s.client()
	for c, user := range map[*client]string{one: "ada", two: "ada", bob: "bob"} {
		c.ok("/login/" + user)
	}
	for _, c := range []*client{one, two, bob} {
		token, err := sojourn.ParseToken(c.token)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, string(token.ID()))
	}
	one.want("/devices", 200, "2")
	for _, stranger := range []string{ids[2], "unknown", ids[0][:8] + ids[2][8:]} {
		if a := one.get("/revoke/" + stranger); a.code != 400 {
			t.Errorf("revoked %s: %+v", stranger, a)
		}
	}
	if a := s.client().get("/revoke/" + ids[0]); a.code != 400 {
		t.Errorf("nobody revoked ada's: %+v", a)
	}
	bob.want("/owner", 200, "bob")
	one.ok("/revoke/" + ids[1])
	two.want("/status", 200, "ended revoked")
	one.want("/devices", 200, "1")
	if a := one.ok("/revoke/" + ids[0]); a.cookie != "-" {
		t.Errorf("revoking this device keeps its cookie: %+v", a)
	}
}

// A session that ended with all of its owner's is forgotten like any other:
// the visitor may begin anew after the tombstone's time, not only after the
// record's.
func TestRevokedByGenerationIsForgotten(t *testing.T) {
	s := newSite(t, &sojourn.Options{Policy: sojourn.Policy{Idle: 10 * time.Hour}})
	c := s.client()
	c.ok("/login/ada")
	if err := s.m.RevokeOwner(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	if a := c.get("/set/k/v"); a.code != 400 || a.cookie != "" {
		t.Errorf("begun with a revoked token: %+v", a)
	}
	store := s.store.Store.(*mapStore)
	for _, r := range store.recs {
		if !r.Dead || r.Expires.Sub(s.clock.now()) != 10*time.Minute {
			t.Errorf("left behind: dead %t, until %v", r.Dead, r.Expires)
		}
	}
}

// A request of the kept session that came while all of them were ended, and is
// still under way afterwards, must not end it for good.
func TestP13RevokeOthersWhileOthersWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, nil)
		s.handle("/others", func(ctx context.Context, _ *http.Request) (any, error) {
			return "", s.m.RevokeOthers(ctx, session(ctx))
		})
		lifted := make(chan struct{})
		s.handle("/slow", func(ctx context.Context, _ *http.Request) (any, error) {
			if _, err := session(ctx).Owner(ctx); err != nil {
				t.Error(err)
			}
			<-lifted
			return "", keyK.Set(ctx, "x")
		})
		c := s.client()
		c.ok("/login/ada")
		var slow answer
		var wg sync.WaitGroup
		during := func() { // between the revocation and the lift
			wg.Go(func() { slow = c.send(c.token, "/slow") })
			synctest.Wait()
		}
		s.stalled().before.Store(&during)
		c.ok("/others")
		close(lifted)
		wg.Wait()
		if slow.code != 400 || slow.cookie != "" {
			t.Errorf("the request in between: %d, cookie %q", slow.code, slow.cookie)
		}
		c.want("/owner", 200, "ada")
	})
}

// What the request changed before it ended the other sessions is merged with
// what parallel ones stored, also after the first byte.
func TestP13RevokeOthersKeepsPendingChanges(t *testing.T) {
	for _, first := range []string{"", "answer "} {
		s := newSite(t, nil)
		c := s.client()
		c.ok("/login/ada")
		s.mux.HandleFunc("/others", func(w http.ResponseWriter, r *http.Request) {
			ctx := r.Context()
			if first != "" {
				io.WriteString(w, first)
			}
			if err := keyK.Set(ctx, "v"); err != nil {
				t.Error(err)
			}
			c.send(c.token, "/set/parallel/w")
			if err := s.m.RevokeOthers(ctx, session(ctx)); err != nil {
				t.Error(err)
			}
		})
		c.ok("/others")
		c.want("/get/k", 200, "v")
		c.want("/get/parallel", 200, "w")
	}
}
