package main

import (
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

// TestP1MigrateUnderLoad moves sessions between two files while two servers use
// them, users write, log out and revoke, and the command carries what they do not
// meet: at the end, a server that knows only the new file has lost nothing that was
// acknowledged, and brings nothing back.
func TestP1MigrateUnderLoad(t *testing.T) {
	dir := t.TempDir()
	from, to := "sqlite:"+filepath.Join(dir, "old.db"), "sqlite:"+filepath.Join(dir, "new.db")
	n := 600
	if testing.Short() {
		n = 300
	}
	live, dead := fill(t, filepath.Join(dir, "old.db"), n)

	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	ds := make([]*driver, drivers)
	for i := range ds {
		ds[i] = &driver{rng: rand.New(rand.NewPCG(seed, uint64(i))), user: []string{"ada", "grace"}[i%2], alone: i == 0}
		if i == 0 {
			ds[i].user = "linus"
		}
	}
	// drive lets all of them work on some servers until enough is closed.
	drive := func(servers []*running, enough <-chan struct{}) {
		var all sync.WaitGroup
		for i, d := range ds {
			d.moveTo(servers[i%len(servers)].url)
			all.Go(func() {
				for !d.gone {
					select {
					case <-enough:
						return
					default:
						d.step()
						time.Sleep(2 * time.Millisecond) // three processes take turns at writing a file: leave gaps
					}
				}
			})
		}
		all.Wait()
	}
	after := func(d time.Duration) <-chan struct{} {
		c := make(chan struct{})
		time.AfterFunc(d, func() { close(c) })
		return c
	}

	old := start(t, call{}, "--store", from, "--log-level", "error")
	drive([]*running{old}, after(300*time.Millisecond))
	if code := old.stop(t); code != 0 {
		t.Fatalf("the old server ended with %d:\n%s", code, old.text())
	}

	both := []*running{start(t, call{}, "--store", to, "--store-from", from, "--log-level", "error"),
		start(t, call{}, "--store", to, "--store-from", from, "--log-level", "error")}
	// Users come back whose sessions wait in the old file; half of them log out.
	// From the other end than the command comes from, so that they do wait.
	slices.SortFunc(live, func(a, b sojourn.Token) int { return strings.Compare(string(b.ID()), string(a.ID())) })
	var returned sync.WaitGroup
	for k := range drivers {
		returned.Go(func() {
			for i := k; i < len(live)/2; i += drivers {
				v := newVisitor(both[i%2].url)
				if v.cookie = "sojourn=" + live[i].Reveal(); i%4 < 2 {
					v.insist(t, "POST", "/demo/visit")
				} else {
					v.insist(t, "DELETE", "/_session/v1/")
				}
			}
		})
	}
	enough := make(chan struct{})
	go func() {
		defer close(enough)
		r := migrated(t, dir, 0, "--rate", strconv.Itoa(n/6), "--parallel", "4")
		if !r.Complete || r.Wrong != 0 || r.Checked == 0 || r.Carried == 0 {
			t.Errorf("migrate: %+v", r)
		}
		t.Logf("%d carried by the command, %d by servers, %d ended meanwhile", r.Carried, r.ByServers, r.EndedMeanwhile)
		time.Sleep(200 * time.Millisecond) // some more load when all have moved
	}()
	drive(both, enough)
	returned.Wait()
	var stayed, ended []sojourn.Token
	for i, token := range live {
		if i < len(live)/2 && i%4 >= 2 {
			ended = append(ended, token)
		} else {
			stayed = append(stayed, token)
		}
	}
	for _, s := range both {
		if code := s.stop(t); code != 0 {
			t.Errorf("a moving server ended with %d:\n%s", code, s.text())
		}
	}

	last := start(t, call{}, "--store", to, "--log-level", "error")
	var all []*sojourner
	writes, ends := 0, 0
	for _, d := range ds {
		if d.gone {
			t.Error("a server was gone under load")
		}
		all = append(all, d.all...)
	}
	for _, s := range all {
		writes += int(s.visits) + s.notes
		if s.ended {
			ends++
		}
	}
	for _, wrong := range check(last.url, all) {
		t.Error(wrong)
	}
	last.stop(t)
	arrived(t, filepath.Join(dir, "new.db"), stayed, append(dead, ended...))
	if writes < 50 || ends < 5 {
		t.Errorf("%d writes and %d ends were acknowledged: too few to show anything", writes, ends)
	}
	t.Logf("%d sessions begun under load, %d acknowledged writes, %d acknowledged ends; %d old sessions ended", len(all), writes, ends, len(ended))
}

// insist repeats a request while the server is too busy to tell: three processes
// take turns at writing to a file, and a load waits for half a second only.
func (v *visitor) insist(t *testing.T, method, path string) {
	cookie := v.cookie
	for tries := 0; ; tries++ {
		v.cookie = cookie
		status, answer, err := v.do(method, path, "{}")
		if status == 503 && tries < 50 {
			continue
		}
		if err != nil || status/100 != 2 {
			t.Errorf("%s %s of a session from the old file: %d %v %v", method, path, status, answer, err)
		}
		return
	}
}

// moveTo lets a driver go on at another server.
func (d *driver) moveTo(url string) {
	d.url = url
	for _, s := range d.all {
		s.v.url = url
	}
}

// TestServeMoves: a server that moves says so, and keeps its users logged in.
func TestServeMoves(t *testing.T) {
	dir := t.TempDir()
	old := start(t, call{dir: dir}, "--store", "sqlite:old.db")
	v := newVisitor(old.url).login(t, "ada")
	v.must(t, "POST", "/demo/cart", `{"item":"tea","quantity":2}`)
	gone := newVisitor(old.url).login(t, "ada")
	token := gone.cookie
	gone.must(t, "DELETE", "/_session/v1/", "")
	gone.cookie = token
	old.stop(t)

	moving := start(t, call{dir: dir, env: []string{"SOJOURN_STORE_FROM=sqlite:old.db"}}, "--store", "sqlite:new.db")
	v.url, gone.url = moving.url, moving.url
	if v.state(t) != "active" || gone.state(t) != "ended" {
		t.Errorf("after the move: %s and %s", v.state(t), gone.state(t))
	}
	v.must(t, "POST", "/demo/cart", `{"item":"map","quantity":1}`)
	if want := "sqlite:new.db (created, moving from sqlite:old.db)"; !strings.Contains(moving.text(), want) {
		t.Errorf("start-up lines lack %q:\n%s", want, moving.text())
	}
	moving.stop(t)

	v.url = start(t, call{dir: dir}, "--store", "sqlite:new.db").url
	if data, _ := v.must(t, "GET", "/_session/v1/data", "")["data"].(map[string]any); len(data["cart"].(map[string]any)) != 2 {
		t.Errorf("in the new store: %v", data)
	}
	runCommand(t, call{dir: dir}, "serve", "--listen", "127.0.0.1:0", "--store", "sqlite:new.db", "--store-from", "sqlite:new.db").
		want(t, 1, "--store-from and --store name the same store")
	runCommand(t, call{dir: dir}, "serve", "--listen", "127.0.0.1:0", "--store", "sqlite:new.db", "--store-from", "sqlite:none.db").
		want(t, 1, "--store-from sqlite:none.db: there is no such file")
}

// Whoever looks after the sessions of servers that move names both stores, too.
func TestSessionsOfBothStores(t *testing.T) {
	dir := t.TempDir()
	old := start(t, call{dir: dir}, "--store", "sqlite:old.db")
	waits, moves := newVisitor(old.url).login(t, "ada"), newVisitor(old.url).login(t, "ada")
	old.stop(t)
	moving := start(t, call{dir: dir}, "--store", "sqlite:new.db", "--store-from", "sqlite:old.db")
	begins := newVisitor(moving.url).login(t, "ada")
	waits.url, moves.url = moving.url, moving.url
	moves.state(t)

	both := []string{"--store", "sqlite:new.db", "--store-from", "sqlite:old.db"}
	everybody := runCommand(t, call{dir: dir}, append([]string{"sessions", "list"}, both...)...)
	everybody.want(t, 0)
	for _, v := range []*visitor{waits, moves, begins} {
		token, err := sojourn.ParseToken(v.token())
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(everybody.out, string(token.ID())) != 1 {
			t.Errorf("session %s is not listed once:\n%s", token.ID(), everybody.out)
		}
	}
	runCommand(t, call{dir: dir}, append([]string{"sessions", "revoke", "--owner", "ada"}, both...)...).want(t, 0, "3 were live")
	for _, v := range []*visitor{waits, moves, begins} {
		if state := v.state(t); state != "ended" {
			t.Errorf("after revoke --owner: %s", state)
		}
	}
}
