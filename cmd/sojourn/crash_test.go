package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestP14KillNineLosesNothing kills a server under load again and again: each
// write and each logout that was acknowledged is still true after the restart.
func TestP14KillNineLosesNothing(t *testing.T) {
	rounds := crashRounds(t)
	seed := rand.Uint64()
	t.Logf("%d rounds, seed %d", rounds, seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	store := "sqlite:" + filepath.Join(t.TempDir(), "sojourn.db")

	var all []*sojourner
	writes, ends := 0, 0
	server := start(t, call{}, "--store", store, "--log-level", "error")
	for round := range rounds {
		load := 50*time.Millisecond + time.Duration(rng.Int64N(int64(250*time.Millisecond)))
		these := drive(server, rng.Uint64(), load, func() { server.cmd.Process.Kill() })
		<-server.done
		server = start(t, call{}, "--store", store, "--log-level", "error")
		for _, wrong := range check(server.url, these) {
			t.Errorf("round %d, killed after %v: %s", round, load, wrong)
		}
		if t.Failed() {
			t.Fatalf("the server said:\n%s", server.text())
		}
		all = append(all, these...)
		for _, s := range these {
			writes += int(s.visits) + s.notes
			if s.ended {
				ends++
			}
			s.maybeEnded = s.maybeEnded || s.alone // by a later round
		}
	}
	for _, wrong := range check(server.url, all) {
		t.Errorf("after all rounds: %s", wrong)
	}
	if writes < rounds || ends < rounds {
		t.Errorf("%d writes and %d ends were acknowledged in %d rounds: too few to show anything", writes, ends, rounds)
	}
	t.Logf("%d sessions, %d acknowledged writes, %d acknowledged ends", len(all), writes, ends)
}

// TestCrashCheckNoticesLoss holds the driver itself to account: a store that
// forgets must not pass.
func TestCrashCheckNoticesLoss(t *testing.T) {
	server := start(t, call{}, "--store", "memory:", "--log-level", "error")
	these := drive(server, 1, 200*time.Millisecond, func() { server.cmd.Process.Kill() })
	<-server.done
	server = start(t, call{}, "--store", "memory:", "--log-level", "error")
	if len(check(server.url, these)) == 0 {
		t.Errorf("%d sessions were lost and nobody noticed", len(these))
	}
}

// TestShutdownKeepsAcknowledgedWrites is the same with a polite end.
func TestShutdownKeepsAcknowledgedWrites(t *testing.T) {
	store := "sqlite:" + filepath.Join(t.TempDir(), "sojourn.db")
	server := start(t, call{}, "--store", store, "--log-level", "error")
	these := drive(server, 2, 200*time.Millisecond, func() { server.cmd.Process.Signal(syscall.SIGTERM) })
	<-server.done
	if code := server.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d, want 0:\n%s", code, server.text())
	}
	server = start(t, call{}, "--store", store, "--log-level", "error")
	for _, wrong := range check(server.url, these) {
		t.Error(wrong)
	}
}

// crashRounds: 50 in CI, fewer at a desk, any number by SOJOURN_CRASH_ROUNDS.
func crashRounds(t *testing.T) int {
	if s := os.Getenv("SOJOURN_CRASH_ROUNDS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			t.Fatalf("SOJOURN_CRASH_ROUNDS=%q: expected a number from 1", s)
		}
		return n
	}
	switch {
	case os.Getenv("SOJOURN_REQUIRE_SERVICES") == "1":
		return 50
	case testing.Short():
		return 2
	}
	return 8
}

// A sojourner is a session and what was acknowledged about it. What was asked
// for without an answer may be true or not.
type sojourner struct {
	v     *visitor
	alone bool // of the driver that ends all sessions of its user

	visits, maybeVisits int64 // at least the one, at most both together
	note                string
	notes               int
	maybeNotes          []string // asked for since note was acknowledged
	ended, maybeEnded   bool
}

const drivers = 6

// drive lets several clients work until the server is ended after load, and
// returns all sessions whose login was acknowledged.
func drive(server *running, seed uint64, load time.Duration, end func()) []*sojourner {
	var mu sync.Mutex
	var all []*sojourner
	var wg sync.WaitGroup
	for i := range drivers {
		wg.Go(func() {
			d := &driver{url: server.url, rng: rand.New(rand.NewPCG(seed, uint64(i)))}
			// One driver ends all of a user's sessions at times, so it alone has that user.
			d.user, d.alone = []string{"ada", "grace"}[i%2], i == 0
			if d.alone {
				d.user = "linus"
			}
			for !d.gone {
				d.step()
			}
			mu.Lock()
			all = append(all, d.all...)
			mu.Unlock()
		})
	}
	time.Sleep(load) // a moment to be struck, not work to wait for
	end()
	wg.Wait()
	return all
}

type driver struct {
	url   string
	rng   *rand.Rand
	user  string
	alone bool
	all   []*sojourner
	live  []*sojourner
	notes int
	gone  bool // the server is
}

// ask sends a request; ok means that it was acknowledged.
func (d *driver) ask(v *visitor, method, path, body string, header ...string) (ok bool, answer map[string]any) {
	status, answer, err := v.do(method, path, body, header...)
	if err != nil {
		d.gone = true
	}
	return err == nil && status/100 == 2, answer
}

func (d *driver) step() {
	if len(d.live) < 2 {
		s := &sojourner{v: newVisitor(d.url), alone: d.alone}
		if ok, _ := d.ask(s.v, "POST", "/demo/login", loginBody(d.user)); ok {
			d.all, d.live = append(d.all, s), append(d.live, s)
		}
		return
	}
	s := d.live[d.rng.IntN(len(d.live))]
	switch n := d.rng.IntN(20); {
	case n < 9:
		if ok, _ := d.ask(s.v, "POST", "/demo/visit", "{}"); ok {
			s.visits++
		} else {
			s.maybeVisits++
		}
	case n < 17:
		d.notes++
		text := fmt.Sprintf("note %d of %s", d.notes, d.user)
		if ok, _ := d.ask(s.v, "PUT", "/_session/v1/data/note", strconv.Quote(text), "If-Match", "*"); ok {
			s.note, s.maybeNotes = text, nil
			s.notes++
		} else {
			s.maybeNotes = append(s.maybeNotes, text)
		}
	case n == 17 && d.alone:
		cookie := s.v.cookie
		ok, _ := d.ask(s.v, "DELETE", "/_session/v1/", `{"scope":"all"}`)
		s.v.cookie = cookie // ask with the ended one later
		d.end(ok, d.live...)
	case n == 18:
		// From the other session of the same user, as from another device.
		other := d.live[0]
		if other == s {
			other = d.live[1]
		}
		ok, status := d.ask(s.v, "GET", "/_session/v1/status", "")
		if h, _ := status["h"].(string); ok && h != "" {
			ok, _ = d.ask(other.v, "DELETE", "/_session/v1/devices/"+h, "")
			d.end(ok, s)
		}
	default:
		cookie := s.v.cookie
		ok, _ := d.ask(s.v, "DELETE", "/_session/v1/", "")
		s.v.cookie = cookie
		d.end(ok, s)
	}
}

func (d *driver) end(ok bool, which ...*sojourner) {
	ended := map[*sojourner]bool{}
	for _, s := range which {
		s.ended, s.maybeEnded = ok, true
		ended[s] = true
	}
	var live []*sojourner
	for _, s := range d.live {
		if !ended[s] {
			live = append(live, s)
		}
	}
	d.live = live
}

// check says what is no longer true of what was acknowledged.
func check(url string, all []*sojourner) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	for i, s := range all {
		v := &visitor{client: s.v.client, url: url, cookie: s.v.cookie}
		status, answer, err := v.do("GET", "/_session/v1/status", "")
		if err != nil || status != 200 {
			say("session %d: status: %d %v", i, status, err)
			continue
		}
		active := answer["state"] == "active"
		switch {
		case s.ended && active:
			say("session %d is back: its end was acknowledged", i)
		case !s.maybeEnded && !active:
			say("session %d is lost: %v", i, answer)
		}
		if !active {
			continue
		}
		_, answer, err = v.do("GET", "/_session/v1/data", "")
		data, _ := answer["data"].(map[string]any)
		if err != nil || data == nil {
			say("session %d: data: %v %v", i, answer, err)
			continue
		}
		visits, _ := data["visits"].(float64)
		if n := int64(visits); n < s.visits || n > s.visits+s.maybeVisits {
			say("session %d has %d visits; %d were acknowledged and %d more asked for", i, n, s.visits, s.maybeVisits)
		}
		note, _ := data["note"].(string)
		known := note == s.note
		for _, m := range s.maybeNotes {
			known = known || note == m
		}
		if !known {
			say("session %d has note %q; %q was acknowledged", i, note, s.note)
		}
	}
	return wrong
}
