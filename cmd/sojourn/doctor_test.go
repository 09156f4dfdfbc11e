package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/memstore"
	"github.com/sojournhq/sojourn/store/sqlstore"
)

func TestDoctor(t *testing.T) {
	dir := t.TempDir()
	live, dead := fill(t, filepath.Join(dir, "sojourn.db"), 20)
	r := runCommand(t, call{dir: dir}, "doctor", "--probes", "20")
	r.want(t, 0, "✓ reachable: sqlite:sojourn.db", "✓ operations", "✓ journal mode: wal", "✓ durability", "✓ integrity: ok", "p50", "p99", "load", "update", "touch")
	if r.err != "" || strings.Contains(r.out, "✗") {
		t.Errorf("a sound store:\n%s%s", r.out, r.err)
	}
	arrived(t, filepath.Join(dir, "sojourn.db"), live, dead)
	store, err := sqlstore.OpenSQLite(t.Context(), filepath.Join(dir, "sojourn.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for rec, err := range records(t.Context(), store) {
		if err != nil || rec.Owner == probeOwner {
			t.Errorf("the doctor left a session behind: %v %v", rec, err)
		}
	}
	store.Close()

	if runtime.GOOS != "windows" {
		if err := os.Chmod(filepath.Join(dir, "sojourn.db"), 0o644); err != nil {
			t.Fatal(err)
		}
		runCommand(t, call{dir: dir}, "doctor").want(t, 0, "! permissions", "chmod 600")
	}
	r = runCommand(t, call{dir: dir}, "doctor", "--json")
	var report struct {
		OK     bool
		Checks []finding
		Times  []timing `json:"round_trips"`
	}
	if err := json.Unmarshal([]byte(r.out), &report); err != nil || !report.OK || len(report.Checks) < 8 || len(report.Times) != 3 || report.Times[0].P50 <= 0 {
		t.Errorf("--json: %v\n%s", err, r.out)
	}

	r = runCommand(t, call{dir: dir}, "doctor", "--store", "sqlite:none.db")
	r.want(t, 1, "✗ reachable: sqlite:none.db", "there is no such file", "1 problem with sqlite:none.db")
	runCommand(t, call{dir: dir}, "doctor", "--store", "sqlite:none.db", "--json").want(t, 1, `"ok": false`, `"state": "problem"`)
	runCommand(t, call{dir: dir}, "doctor", "--probes", "0").want(t, 1, "expected 1 to 100000")
}

// sick is a store with something wrong.
type sick struct {
	*memstore.Store
	delay    time.Duration
	list     error
	update   error
	forget   bool
	ahead    time.Duration
	findings func(report func(check, detail string, problem error))
}

func (s *sick) Load(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
	time.Sleep(s.delay)
	return s.Store.Load(ctx, id)
}

func (s *sick) Update(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
	if s.update != nil {
		return sojourn.Record{}, s.update
	}
	return s.Store.Update(ctx, r)
}

func (s *sick) List(ctx context.Context, owner string) ([]sojourn.ID, error) {
	if s.list != nil {
		return nil, s.list
	}
	return s.Store.List(ctx, owner)
}

func (s *sick) Revoke(ctx context.Context, r sojourn.RevokedRecord) error {
	if s.forget {
		return nil
	}
	return s.Store.Revoke(ctx, r)
}

func (s *sick) ServerTime(context.Context) (time.Time, error) { return time.Now().Add(s.ahead), nil }

func (s *sick) Diagnose(ctx context.Context, report func(check, detail string, problem error)) {
	if s.findings != nil {
		s.findings(report)
	}
}

// TestDoctorFinds holds the doctor to account: each sickness is found, and called
// by its name.
func TestDoctorFinds(t *testing.T) {
	for _, c := range []struct {
		name         string
		store        sick
		check, state string
		advice       string
	}{
		{"health", sick{}, "operations", stateOK, ""},
		{"no clock trouble", sick{}, "clock", stateOK, ""},
		{"clock", sick{ahead: time.Hour}, "clock", stateProblem, "NTP"},
		{"clock, a little", sick{ahead: -3 * time.Second}, "clock", stateWarning, "NTP"},
		{"no lists", sick{list: sojourn.ErrUnsupported}, "device lists", stateWarning, "where else they are logged in"},
		{"list", sick{list: errors.New("denied")}, "operations", stateProblem, "denied"},
		{"read-only", sick{update: errors.New("read-only replica")}, "operations", stateProblem, "read-only replica"},
		{"revocations that do nothing", sick{forget: true}, "operations", stateProblem, "the revoked session is still there"},
		{"slow", sick{delay: 60 * time.Millisecond}, "round trips", stateWarning, "closer together"},
		{"too slow", sick{delay: 300 * time.Millisecond}, "round trips", stateProblem, "503"},
		{"its own finding", sick{findings: func(report func(string, string, error)) {
			report("eviction", "allkeys-lru", errors.New("set noeviction"))
		}}, "eviction", stateProblem, "set noeviction"},
		{"its own advice", sick{findings: func(report func(string, string, error)) {
			report("disk", "nearly full", warn("free some"))
		}}, "disk", stateWarning, "free some"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.store.Store = memstore.New(nil)
			var out bytes.Buffer
			d := &doctor{ctx: t.Context(), ref: storeRef{flag: "--store", url: "sick:"}, probes: 2, out: &out}
			d.examineOpened(&openedStore{Store: &c.store, name: "sick:"})
			i := slices.IndexFunc(d.checks, func(f finding) bool { return f.Name == c.check })
			if i < 0 || d.checks[i].State != c.state || !strings.Contains(d.checks[i].Advice, c.advice) {
				t.Errorf("want %s of %s with %q:\n%s", c.state, c.check, c.advice, &out)
			}
			if err := d.conclude(&out, false); (err != nil) != (c.state == stateProblem) {
				t.Errorf("the verdict is %v", err)
			}
		})
	}
}
