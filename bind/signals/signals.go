// Package signals watches for sessions that turn up where they should not:
//
//	watch, err := signals.New(nil)
//	m, err := sojourn.New(store, &sojourn.Options{Signals: watch.Judge})
//
// Each sign is told to observers (sojourn.EventSignal) and, by default, nothing
// more follows: people change networks and browsers change their names, so a
// sign alone should log nobody out.
//
// Caveats. A network is the beginning of an address, not its operator or
// country. The networks of a session are remembered per process and in bounded
// number, so of requests that different nodes answer, or in a crowd of sessions,
// some interleaving goes unseen. A sign is a reason to look closer, no proof.
package signals

import (
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/mileusna/useragent"
	"github.com/sojournhq/sojourn"
)

// The signs.
const (
	Network     = "network"     // the address is in another network than the last one
	Client      = "client"      // another browser or program than the last one; versions do not count
	System      = "system"      // another operating system
	Interleaved = "interleaved" // back in a network that it left a moment ago: two places at once
)

// None, as an answer in Options, means that nothing follows.
const None = "none"

// Options say what follows a sign: None, "report" an event, "step-up" also a
// level of assurance of 0 until the user authenticates again, "revoke" the
// session's end, "revoke-all" the end of all its owner's. Of several signs the
// hardest answer counts.
type Options struct {
	// OnNetwork answers Network. Default "report".
	OnNetwork string
	// OnClient answers Client. Default "report".
	OnClient string
	// OnSystem answers System, which no update explains. Default "report".
	OnSystem string
	// OnInterleaved answers Interleaved. Default "report".
	OnInterleaved string

	// PrefixV4 and PrefixV6 are how many bits of an address make its network.
	// Default 24 and 48.
	PrefixV4, PrefixV6 int
	// Window is how long a network counts as just left. Default 1 min.
	Window time.Duration
	// Sessions bounds how many are remembered, at about 200 bytes each. Default
	// 16,384.
	Sessions int
}

// A Watch judges requests. It is safe for parallel use.
type Watch struct {
	opt  Options
	mu   sync.Mutex
	left map[sojourn.ID]trail
}

// A trail is where a session was before the network it is in.
type trail struct {
	network netip.Prefix
	at      time.Time // when it left
}

// hardness orders the answers.
var hardness = map[string]int{None: 0, "report": 1, "step-up": 2, "revoke": 3, "revoke-all": 4}

// New checks opt; nil means the defaults.
func New(opt *Options) (*Watch, error) {
	w := &Watch{left: map[sojourn.ID]trail{}}
	if opt != nil {
		w.opt = *opt
	}
	if err := w.opt.settle(); err != nil {
		return nil, fmt.Errorf("signals: %w", err)
	}
	return w, nil
}

func (o *Options) settle() error {
	for _, a := range []struct {
		v    *string
		name string
	}{{&o.OnNetwork, "OnNetwork"}, {&o.OnClient, "OnClient"}, {&o.OnSystem, "OnSystem"}, {&o.OnInterleaved, "OnInterleaved"}} {
		if *a.v == "" {
			*a.v = "report"
		}
		if _, ok := hardness[*a.v]; !ok {
			return fmt.Errorf(`%w: Options.%s is %q, expected "none", "report", "step-up", "revoke" or "revoke-all"`, sojourn.ErrInvalid, a.name, *a.v)
		}
	}
	for _, n := range []struct {
		v        *int
		name     string
		def, max int
	}{{&o.PrefixV4, "PrefixV4", 24, 32}, {&o.PrefixV6, "PrefixV6", 48, 128}, {&o.Sessions, "Sessions", 16 << 10, 1 << 24}} {
		if *n.v == 0 {
			*n.v = n.def
		}
		if *n.v < 1 || *n.v > n.max {
			return fmt.Errorf("%w: Options.%s is %d, expected 1 to %d", sojourn.ErrInvalid, n.name, *n.v, n.max)
		}
	}
	if o.Window == 0 {
		o.Window = time.Minute
	}
	if o.Window < 0 {
		return fmt.Errorf("%w: Options.Window is %v, expected more than 0", sojourn.ErrInvalid, o.Window)
	}
	return nil
}

// Judge is for sojourn.Options.Signals.
func (w *Watch) Judge(r *http.Request, ip string, was sojourn.Status) (reaction string, signs []string) {
	hardest := None
	see := func(sign, answer string) {
		if answer == None {
			return
		}
		signs = append(signs, sign)
		if hardness[answer] > hardness[hardest] {
			hardest = answer
		}
	}
	if now, before := w.network(ip), w.network(was.IP); now.IsValid() && before.IsValid() && now != before {
		see(Network, w.opt.OnNetwork)
		if w.returned(was.ID, now, before, was.Now) {
			see(Interleaved, w.opt.OnInterleaved)
		}
	}
	if had, has := was.UserAgent, r.UserAgent(); had != "" {
		before, now := useragent.Parse(had), useragent.Parse(has[:min(len(has), recorded)])
		if before.Name != now.Name {
			see(Client, w.opt.OnClient)
		}
		if before.OS != now.OS {
			see(System, w.opt.OnSystem)
		}
	}
	if hardest == None {
		return "", nil
	}
	return hardest, signs
}

const recorded = 256 // bytes of a user agent that a session keeps

// network is the zero Prefix for what is no address.
func (w *Watch) network(ip string) netip.Prefix {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return netip.Prefix{}
	}
	addr = addr.Unmap().WithZone("")
	bits := w.opt.PrefixV6
	if addr.Is4() {
		bits = w.opt.PrefixV4
	}
	p, _ := addr.Prefix(bits) // the options were checked
	return p
}

// returned notes that a session left a network, and reports whether it came back
// to one that it had left within the window.
func (w *Watch) returned(id sojourn.ID, now, before netip.Prefix, at time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	t, known := w.left[id]
	if !known {
		w.makeRoom(at)
	}
	w.left[id] = trail{before, at}
	return known && t.network == now && at.Sub(t.at) < w.opt.Window
}

// makeRoom forgets what is too old to matter, or else some session.
func (w *Watch) makeRoom(now time.Time) {
	if len(w.left) < w.opt.Sessions {
		return
	}
	looked, some := 0, sojourn.ID("")
	for id, t := range w.left { // in random order
		if some = id; now.Sub(t.at) >= w.opt.Window {
			delete(w.left, id)
		}
		if looked++; looked == 32 {
			break
		}
	}
	if len(w.left) >= w.opt.Sessions {
		delete(w.left, some)
	}
}
