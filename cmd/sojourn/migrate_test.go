package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/memstore"
	"github.com/sojournhq/sojourn/store/movestore"
	"github.com/sojournhq/sojourn/store/sqlstore"
)

const seat = sojourn.Key[int]("seat")

// fill begins sessions in a file, as a server did long ago, and returns their
// tokens: of every tenth the user logged out, and every tenth was revoked with
// all of its user.
func fill(t *testing.T, path string, n int) (live, dead []sojourn.Token) {
	t.Helper()
	store, err := sqlstore.OpenSQLite(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	m, err := sojourn.New(store, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	tokens, errs := make([]sojourn.Token, n), make([]error, n)
	var all sync.WaitGroup
	places := make(chan struct{}, 64) // more would wait longer than a commit may
	for i := range n {
		all.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			var s *sojourn.Session
			user := "user-" + strconv.Itoa(i%50)
			if i%10 == 1 {
				user = "revoked-" + strconv.Itoa(i)
			}
			s, tokens[i], errs[i] = m.Create(t.Context(), user)
			if errs[i] == nil {
				errs[i] = errors.Join(seat.Set(sojourn.NewContext(t.Context(), s), i), s.Save(t.Context()))
			}
			switch {
			case errs[i] != nil:
			case i%10 == 0:
				errs[i] = m.Revoke(t.Context(), tokens[i].ID(), sojourn.ReasonLogout)
			case i%10 == 1:
				errs[i] = m.RevokeOwner(t.Context(), user)
			}
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	for i, token := range tokens {
		if i%10 < 2 {
			dead = append(dead, token)
		} else {
			live = append(live, token)
		}
	}
	return live, dead
}

// arrived checks what a server would find that knows only the file.
func arrived(t *testing.T, path string, live, dead []sojourn.Token) {
	t.Helper()
	store, err := sqlstore.OpenSQLite(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	m, err := sojourn.New(store, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	seats := map[int]bool{}
	for _, token := range live {
		s, err := m.Authenticate(t.Context(), token.Reveal())
		if err != nil {
			t.Errorf("session %s is lost: %v", token.ID(), err)
			continue
		}
		n, err := seat.Get(sojourn.NewContext(t.Context(), s))
		if err != nil || seats[n] {
			t.Errorf("session %s has seat %d, %v", token.ID(), n, err)
		}
		seats[n] = true
	}
	for _, token := range dead {
		if _, err := m.Authenticate(t.Context(), token.Reveal()); !errors.Is(err, sojourn.ErrNotFound) {
			t.Errorf("session %s is back: %v", token.ID(), err)
		}
	}
}

// migrated runs the command and reads its report.
func migrated(t *testing.T, dir string, code int, args ...string) (r migrateReport) {
	t.Helper()
	answer := runCommand(t, call{dir: dir}, append([]string{"migrate", "--from", "sqlite:old.db", "--to", "sqlite:new.db", "--json"}, args...)...)
	if err := json.Unmarshal([]byte(answer.out), &r); err != nil || answer.code != code {
		t.Fatalf("migrate %v: code %d, %v\n%s%s", args, answer.code, err, answer.out, answer.err)
	}
	return r
}

func TestMigrate(t *testing.T) {
	dir := t.TempDir()
	live, dead := fill(t, filepath.Join(dir, "old.db"), 200)
	r := migrated(t, dir, 0, "--dry-run")
	if r.Found != 160 || r.Left != 160 || r.Ended != 40 || !r.DryRun || !r.Create || r.Complete {
		t.Errorf("--dry-run: %+v", r)
	}
	if _, err := os.Stat(filepath.Join(dir, "new.db")); err == nil {
		t.Error("--dry-run created the new store")
	}
	r = migrated(t, dir, 0, "--sample", "50")
	if r.Carried != 160 || r.Left != 0 || r.Checked != 50 || r.Wrong != 0 || !r.Complete {
		t.Errorf("the first run: %+v", r)
	}
	arrived(t, filepath.Join(dir, "new.db"), live, dead)
	if r = migrated(t, dir, 0); r.Carried != 0 || r.Before != 160 || !r.Complete {
		t.Errorf("the second run: %+v", r)
	}
	answer := runCommand(t, call{dir: dir}, "migrate", "--from", "sqlite:old.db", "--to", "sqlite:new.db")
	answer.want(t, 0, "Carried 0 sessions from sqlite:old.db to sqlite:new.db", "160 carried before", "Nothing is left", "--store sqlite:new.db alone")
	if answer.err != "" {
		t.Errorf("standard error, which is no terminal: %q", answer.err)
	}
	runCommand(t, call{dir: dir}, "migrate", "--from", "sqlite:old.db", "--to", "sqlite:new.db", "--dry-run").want(t, 0, "0 sessions to carry", "Nothing was changed")
	// And back.
	answer = runCommand(t, call{dir: dir}, "migrate", "--from", "sqlite:new.db", "--to", "sqlite:old.db")
	answer.want(t, 0, "Carried 160 sessions")
	arrived(t, filepath.Join(dir, "old.db"), live, dead)
}

// A stopped run says how to go on, loses nothing, and the next one goes on.
func TestMigrateStoppedAndResumed(t *testing.T) {
	dir := t.TempDir()
	live, dead := fill(t, filepath.Join(dir, "old.db"), 500)
	cmd := exec.Command(binary, "migrate", "--from", "sqlite:old.db", "--to", "sqlite:new.db", "--json", "--rate", "200")
	cmd.Dir = dir
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for { // another process's work cannot signal us
		if info, err := os.Stat(filepath.Join(dir, "new.db-wal")); err == nil && info.Size() > 100_000 {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	cmd.Process.Signal(os.Interrupt)
	cmd.Wait()
	var first migrateReport
	if err := json.Unmarshal(out.Bytes(), &first); err != nil {
		t.Fatalf("%v\n%s%s", err, &out, &errs)
	}
	if code := cmd.ProcessState.ExitCode(); code != 1 || !first.Stopped || first.Complete || first.Carried == 0 || first.Carried == len(live) {
		t.Errorf("stopped: code %d, %+v", code, first)
	}
	if !strings.Contains(errs.String(), "run the same command again") || strings.Count(errs.String(), "\n") != 1 {
		t.Errorf("standard error: %q", &errs)
	}
	second := migrated(t, dir, 0)
	if second.Before != first.Carried || second.Carried != len(live)-first.Carried || !second.Complete {
		t.Errorf("first %+v, then %+v", first, second)
	}
	arrived(t, filepath.Join(dir, "new.db"), live, dead)
}

func TestMigrateRate(t *testing.T) {
	dir := t.TempDir()
	fill(t, filepath.Join(dir, "old.db"), 50)
	if r := migrated(t, dir, 0, "--rate", "100"); r.Seconds < 0.35 {
		t.Errorf("40 sessions at 100/s took %.2f s", r.Seconds)
	}
}

func TestMigrateRefusals(t *testing.T) {
	dir := t.TempDir()
	fill(t, filepath.Join(dir, "old.db"), 1)
	for _, one := range []struct {
		from, to, more, text string
	}{
		{"sqlite:old.db", "sqlite:" + filepath.Join(dir, "old.db"), "", "name the same store"},
		{"sqlite:old.db", "sqlite:old.db", "--dry-run", "name the same store"},
		{"sqlite:none.db", "sqlite:new.db", "", "--from sqlite:none.db: there is no such file"},
		{"memory:", "sqlite:new.db", "", "no other process can see them"},
		{"sqlite:old.db", "memory:", "", "no other process can see them"},
		{"sqlite:old.db", "sqlite:none/new.db", "", "there is no folder none"},
		{"nonsense:", "sqlite:new.db", "", `--from "nonsense:": expected sqlite:PATH`},
		{"sqlite:old.db", "sqlite:new.db", "--rate=-1", "expected sessions per second"},
		{"sqlite:old.db", "sqlite:new.db", "--parallel=0", "expected 1 to 256"},
	} {
		args := []string{"migrate", "--from", one.from, "--to", one.to}
		if one.more != "" {
			args = append(args, one.more)
		}
		r := runCommand(t, call{dir: dir}, args...)
		r.want(t, 1, one.text)
		if strings.Count(r.err, "\n") != 1 || r.out != "" {
			t.Errorf("%v: %q %q", args, r.out, r.err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "new.db")); err == nil {
		t.Error("a refused command created the new store")
	}
}

// plain hides what a store offers besides.
type plain struct{ sojourn.Store }

func TestMigrateNeedsScan(t *testing.T) {
	_, err := count(t.Context(), plain{memstore.New(nil)}, newProgress(nil, true))
	if !errors.Is(err, errNoScan) || !strings.Contains(err.Error(), "--store-from OLD") {
		t.Errorf("a store without Scan: %v", err)
	}
}

// What did not arrive as it left is found out.
func TestMigrateVerifyFindsLoss(t *testing.T) {
	for name, spoil := range map[string]func(ctx context.Context, to *memstore.Store, r sojourn.Record) error{
		"not in the new store": func(ctx context.Context, to *memstore.Store, r sojourn.Record) error {
			_, err := to.Sweep(ctx, r.Expires.Add(time.Second), 10)
			return err
		},
		"cannot be read": func(ctx context.Context, to *memstore.Store, r sojourn.Record) error {
			r.Payload = []byte("\xffnonsense")
			_, err := to.Update(ctx, &r)
			return err
		},
		"": func(ctx context.Context, to *memstore.Store, r sojourn.Record) error { return nil },
	} {
		from, to := memstore.New(nil), memstore.New(nil)
		before, err := sojourn.New(from, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, token, err := before.Create(t.Context(), "ada")
		if err != nil {
			t.Fatal(err)
		}
		old, err := from.Load(t.Context(), token.ID())
		if err != nil {
			t.Fatal(err)
		}
		m := &migration{flags: &migrateFlags{}, from: from, to: to, move: movestore.New(from, to, nil), show: newProgress(nil, true)}
		now, carried, err := m.carry(t.Context(), token.ID())
		if err != nil || !carried {
			t.Fatalf("carried: %v %v", carried, err)
		}
		m.samples.size = 10
		m.samples.offer(old, now)
		if err := errors.Join(spoil(t.Context(), to, now), m.verify(t.Context())); err != nil {
			t.Fatal(err)
		}
		if text := strings.Join(m.report.Problems, "\n"); (m.report.Wrong == 1) != (name != "") || !strings.Contains(text, name) {
			t.Errorf("%q: %d wrong, %q", name, m.report.Wrong, text)
		}
	}
}

func TestProgressLine(t *testing.T) {
	p := &progress{title: "Carrying", total: 1_000_000, done: 250_000}
	if got, want := p.line(50*time.Second), "Carrying  [####............]  25 %  250000 of 1000000, 5000/s, 2 min left"; got != want {
		t.Errorf("line is %q, want %q", got, want)
	}
	p.total, p.done = 123_456_789_012, 100_000_000_000
	if got := p.line(time.Second); len(got) > 79 {
		t.Errorf("%d characters: %q", len(got), got)
	}
	p.total = 0
	if got := p.line(time.Second); got != "Carrying  100000000000, 100000000000/s" {
		t.Errorf("without a total: %q", got)
	}
}
