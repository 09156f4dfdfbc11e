package signals_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/bind/signals"
	"github.com/sojournhq/sojourn/store/memstore"
)

const (
	chrome146 = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0 Safari/537.36"
	chrome147 = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36"
	chromeMac = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0 Safari/537.36"
	firefox   = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:150.0) Gecko/20100101 Firefox/150.0"
)

func newWatch(t *testing.T, opt *signals.Options) *signals.Watch {
	t.Helper()
	w, err := signals.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func judge(w *signals.Watch, wasIP, wasUA, ip, ua string) (string, []string) {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("User-Agent", ua)
	return w.Judge(r, ip, sojourn.Status{ID: "one", IP: wasIP, UserAgent: wasUA, Now: time.Unix(1000, 0)})
}

func TestSigns(t *testing.T) {
	long := chrome146 + strings.Repeat(" x", 200)
	for _, c := range []struct {
		name, wasIP, wasUA, ip, ua string
		want                       []string
	}{
		{"nothing", "192.0.2.1", chrome146, "192.0.2.1", chrome146, nil},
		{"same network", "192.0.2.1", chrome146, "192.0.2.200", chrome146, nil},
		{"IPv6 privacy address", "2001:db8:1:2::5", chrome146, "2001:db8:1:ffff::9", chrome146, nil},
		{"mapped", "192.0.2.1", chrome146, "::ffff:192.0.2.9", chrome146, nil},
		{"browser update", "192.0.2.1", chrome146, "192.0.2.1", chrome147, nil},
		{"cut by the record", "192.0.2.1", long[:256], "192.0.2.1", long, nil},
		{"unknown before", "", "", "192.0.2.1", chrome146, nil},
		{"no address", "192.0.2.1", chrome146, "@", chrome146, nil},
		{"network", "192.0.2.1", chrome146, "198.51.100.1", chrome146, []string{signals.Network}},
		{"IPv6 network", "2001:db8:1::1", chrome146, "2001:db8:2::1", chrome146, []string{signals.Network}},
		{"IPv6 after IPv4", "192.0.2.1", chrome146, "2001:db8::1", chrome146, []string{signals.Network}},
		{"browser", "192.0.2.1", chrome146, "192.0.2.1", firefox, []string{signals.Client}},
		{"system", "192.0.2.1", chrome146, "192.0.2.1", chromeMac, []string{signals.System}},
		{"program", "192.0.2.1", chrome146, "192.0.2.1", "curl/8.5.0", []string{signals.Client, signals.System}},
		{"all", "192.0.2.1", chrome146, "198.51.100.1", "curl/8.5.0", []string{signals.Network, signals.Client, signals.System}},
	} {
		reaction, got := judge(newWatch(t, nil), c.wasIP, c.wasUA, c.ip, c.ua)
		if !slices.Equal(got, c.want) || (reaction == "report") != (c.want != nil) {
			t.Errorf("%s: %q %q, expected %q", c.name, reaction, got, c.want)
		}
	}
}

// Of several signs the hardest answer counts, and None silences one.
func TestAnswers(t *testing.T) {
	w := newWatch(t, &signals.Options{OnNetwork: signals.None, OnClient: "step-up", OnSystem: "revoke"})
	for _, c := range []struct{ ip, ua, want string }{
		{"198.51.100.1", chrome146, ""},
		{"198.51.100.1", firefox, "step-up"},
		{"192.0.2.1", chromeMac, "revoke"},
		{"192.0.2.1", "curl/8.5.0", "revoke"},
	} {
		if got, signs := judge(w, "192.0.2.1", chrome146, c.ip, c.ua); got != c.want || slices.Contains(signs, signals.Network) {
			t.Errorf("%+v: %q %q", c, got, signs)
		}
	}
}

func TestOptionsInvalid(t *testing.T) {
	for _, o := range []signals.Options{{OnNetwork: "logout"}, {OnInterleaved: "x"}, {PrefixV4: 33}, {PrefixV6: -1}, {Sessions: -1}, {Window: -1}} {
		if _, err := signals.New(&o); !errors.Is(err, sojourn.ErrInvalid) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// Two networks in turn are told from a hand-over, and memory stays bounded.
func TestInterleaved(t *testing.T) {
	w := newWatch(t, &signals.Options{Sessions: 64})
	at := time.Unix(1000, 0)
	hop := func(id sojourn.ID, was, is string) []string {
		_, signs := w.Judge(httptest.NewRequest("GET", "/", nil), is, sojourn.Status{ID: id, IP: was, Now: at})
		return signs
	}
	if got := hop("a", "192.0.2.1", "198.51.100.1"); len(got) != 1 {
		t.Errorf("a hand-over: %q", got)
	}
	at = at.Add(3 * time.Second)
	if got := hop("b", "198.51.100.1", "192.0.2.1"); len(got) != 1 {
		t.Errorf("another session's: %q", got)
	}
	if got := hop("a", "198.51.100.1", "192.0.2.1"); !slices.Equal(got, []string{signals.Network, signals.Interleaved}) {
		t.Errorf("back after 3 s: %q", got)
	}
	at = at.Add(time.Minute)
	if got := hop("a", "192.0.2.1", "198.51.100.1"); len(got) != 1 {
		t.Errorf("back after a minute: %q", got)
	}
	for i := range 100_000 {
		hop(sojourn.ID(fmt.Sprint("crowd", i)), "192.0.2.1", "198.51.100.1")
	}
	if n := w.Remembered(); n > 64 {
		t.Errorf("%d sessions remembered, expected at most 64", n)
	}
}

// A thief elsewhere raises the event; a user on the move stays logged in.
func TestRoamingIsNoLogout(t *testing.T) {
	var told []string
	var clock atomic.Int64
	clock.Store(time.Now().UnixMilli())
	m, err := sojourn.New(memstore.New(nil), &sojourn.Options{
		Signals:   newWatch(t, nil).Judge,
		Observers: []sojourn.Observer{observer(func(e sojourn.Event) { told = append(told, e.Signals...) })},
		Clock:     func() time.Time { return time.UnixMilli(clock.Load()) },
	})
	if err != nil {
		t.Fatal(err)
	}
	_, token, err := m.Create(t.Context(), "ada")
	if err != nil {
		t.Fatal(err)
	}
	h := m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := sojourn.From(r.Context())
		owner, err := s.Owner(r.Context())
		fmt.Fprint(w, owner, err)
	}))
	visit := func(ip, ua string) {
		t.Helper()
		clock.Add(2000)
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = ip + ":1"
		r.Header.Set("User-Agent", ua)
		r.Header.Set("Cookie", "__Host-sojourn="+token.Reveal())
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Body.String() != "ada<nil>" {
			t.Fatalf("from %s: %q", ip, w.Body)
		}
	}
	visit("192.0.2.1", chrome146) // the first: nothing to compare with
	visit("192.0.2.1", chrome147)
	visit("198.51.100.1", chrome147)
	visit("198.51.100.1", chrome147)
	if want := []string{"network"}; !slices.Equal(told, want) {
		t.Errorf("roaming: told %q, expected %q", told, want)
	}
	told = nil
	visit("203.0.113.5", "curl/8.5.0") // the thief
	visit("198.51.100.1", chrome147)   // the victim
	visit("203.0.113.5", "curl/8.5.0") // the thief again
	if want := []string{"network", "client", "system", "network", "interleaved", "client", "system", "network", "interleaved", "client", "system"}; !slices.Equal(told, want) {
		t.Errorf("theft: told %q", told)
	}
}

type observer func(sojourn.Event)

func (o observer) Observe(_ context.Context, e sojourn.Event) {
	if e.Kind == sojourn.EventSignal {
		o(e)
	}
}
