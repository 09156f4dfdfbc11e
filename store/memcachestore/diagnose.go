package memcachestore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sojournhq/sojourn"
)

// Diagnose looks at what an operator should know of the servers, and reports each
// check as it is made: what was found and, if it endangers sessions, what is
// wrong and what to do. Beside an item that is written, read and left to expire
// within a minute, it changes nothing. It names the checks
//
//	reach version items evictions memory connections clock
//
// and repeats them for every server; of several, the address begins the detail.
func (s *Store) Diagnose(ctx context.Context, report func(check, detail string, problem error)) {
	for _, server := range s.servers {
		x := examination{store: s, report: report, server: server}
		if len(s.servers) > 1 {
			x.prefix = server + ": "
		}
		x.all(ctx)
	}
}

// An examination is of one server.
type examination struct {
	store           *Store
	server, prefix  string
	stats, settings map[string]string
	report          func(check, detail string, problem error)
}

func (x *examination) say(check, detail string, problem error) {
	x.report(check, x.prefix+detail, problem)
}

func (x *examination) number(stat string) int64 {
	n, _ := strconv.ParseInt(x.stats[stat], 10, 64)
	return n
}

func (x *examination) setting(name string) int64 {
	n, _ := strconv.ParseInt(x.settings[name], 10, 64)
	return n
}

func (x *examination) all(ctx context.Context) {
	began := time.Now()
	answers, err := x.store.statistics(ctx, x.server, "", " settings")
	took := time.Since(began)
	if err != nil {
		x.say("reach", "no answer", err)
		return
	}
	x.stats, x.settings = answers[0], answers[1]
	x.reach(ctx)
	x.version()
	x.items()
	x.evictions()
	x.memory()
	x.connections()
	x.clock(began, took)
}

// reach writes an item and reads it back, with the number that guards it.
func (x *examination) reach(ctx context.Context) {
	began := time.Now()
	err := x.store.probe(ctx, x.server)
	switch {
	case errors.Is(err, sojourn.ErrUnsupported):
		x.say("reach", "answers without compare-and-swap (-C)", err)
	case err != nil:
		x.say("reach", "takes no item", err)
	default:
		x.say("reach", fmt.Sprintf("an item written and read back, on a new connection, in %v", time.Since(began).Round(10*time.Microsecond)), nil)
	}
}

func (x *examination) version() {
	version := x.stats["version"]
	var problem error
	if first, rest, _ := strings.Cut(version, "."); first == "1" {
		second, _, _ := strings.Cut(rest, ".")
		if n, err := strconv.Atoi(second); err == nil && n < 6 {
			problem = errors.New("this release was never tested with sessions: expected 1.6")
		}
	}
	up := time.Duration(x.number("uptime")) * time.Second
	x.say("version", fmt.Sprintf("%s, up for %v, since when its sessions are", version, up), problem)
}

func (x *examination) items() {
	largest := x.setting("item_size_max")
	var problem error
	if n := x.number("store_too_large"); n > 0 {
		problem = fmt.Errorf("%d items were refused as too large: start it with a larger -I, or keep less in sessions", n)
	} else if largest > 0 && largest < int64(x.store.opt.MaxItem) {
		problem = fmt.Errorf("it refuses items that Options.MaxItem (%d bytes) allows: start it with -I %d, or lower that", x.store.opt.MaxItem, x.store.opt.MaxItem+1<<10)
	}
	x.say("items", fmt.Sprintf("%d, of this and other applications; at most %d bytes each", x.number("curr_items"), largest), problem)
}

func (x *examination) evictions() {
	n := x.number("evictions")
	detail, problem := fmt.Sprintf("%d since the start", n), error(nil)
	switch {
	case x.settings["evictions"] == "off":
		detail += ", switched off (-M): a full server refuses new sessions"
	case n > 0:
		problem = errors.New("users were logged out for want of memory: start it with a larger -m, or add a server, and let nothing else use it")
	}
	x.say("evictions", detail, problem)
}

func (x *examination) memory() {
	used, most := x.number("bytes"), x.number("limit_maxbytes")
	detail, problem := fmt.Sprintf("%.1f MiB", float64(used)/(1<<20)), error(nil)
	if most > 0 {
		percent := used * 100 / most
		detail += fmt.Sprintf(", %d %% of %.1f MiB (-m)", percent, float64(most)/(1<<20))
		if percent >= 70 { // one whose items leave gaps is full at 76
			problem = errors.New("it will soon evict sessions: start it with a larger -m, or add a server")
		}
	}
	if n := x.number("store_no_memory"); n > 0 && problem == nil {
		problem = fmt.Errorf("%d items found no memory: start it with a larger -m", n)
	}
	x.say("memory", detail, problem)
}

func (x *examination) connections() {
	now, most := x.number("curr_connections"), max(x.number("max_connections"), x.setting("maxconns"))
	var problem error
	if most > 0 && now >= most*9/10 || x.number("rejected_connections")+x.number("listen_disabled_num") > 0 {
		problem = errors.New("connections are kept waiting or refused: start it with a larger -c, or lower Options.MaxConns")
	}
	x.say("connections", fmt.Sprintf("%d of %d", now, most), problem)
}

// clockSkew is what deadlines in whole seconds hide.
const clockSkew = 5 * time.Second

func (x *examination) clock(began time.Time, took time.Duration) {
	seconds := x.number("time")
	if seconds == 0 {
		return
	}
	// Whole seconds: half a second is lost on average.
	ahead := time.Unix(seconds, 0).Add(time.Second / 2).Sub(began.Add(took / 2))
	detail, problem := "as on this machine, to the second", error(nil)
	if ahead.Abs() > time.Second+took/2 {
		detail = fmt.Sprintf("%v ahead of this machine", ahead.Round(time.Second))
		if ahead < 0 {
			detail = fmt.Sprintf("%v behind this machine", -ahead.Round(time.Second))
		}
	}
	if ahead.Abs() > clockSkew+took/2 {
		problem = errors.New("sessions may be dropped before their deadline: keep both machines in time, by NTP")
	}
	x.say("clock", detail, problem)
}
