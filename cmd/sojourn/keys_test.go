package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/seal"
)

// makeKeys creates keys.txt in dir and returns the ID and text of its key.
func makeKeys(t *testing.T, dir string) seal.Key {
	t.Helper()
	runCommand(t, call{dir: dir}, "keys", "new", "keys.txt").want(t, 0, "keys.txt", "Keep a copy")
	return keysOf(t, dir)[0]
}

func keysOf(t *testing.T, dir string) (list []seal.Key) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, "keys.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(content)) {
		k, err := seal.ParseKey(strings.Fields(line)[0])
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, k)
	}
	return list
}

func TestKeysNew(t *testing.T) {
	r := runCommand(t, call{}, "keys", "new")
	r.want(t, 0)
	if !regexp.MustCompile(`^sk1_[a-z2-7]{8}_[A-Za-z0-9_-]{43} # \d{4}-\d\d-\d\d\n$`).MatchString(r.out) || r.err != "" {
		t.Errorf("%q", r.out)
	}
	if _, err := seal.ParseRing(strings.NewReader(r.out)); err != nil {
		t.Error(err)
	}
	dir := t.TempDir()
	k := makeKeys(t, dir)
	path := filepath.Join(dir, "keys.txt")
	before, _ := os.ReadFile(path)
	private(t, path)
	runCommand(t, call{dir: dir}, "keys", "new", "keys.txt").want(t, 1, "exists already", "keys rotate keys.txt")
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("a key file was overwritten")
	}
	runCommand(t, call{dir: dir}, "keys", "new", "none/keys.txt").want(t, 1, "folder that exists")
	list := runCommand(t, call{dir: dir}, "keys", "list", "--keys", "keys.txt")
	list.want(t, 0, k.ID(), "seals")
	if strings.Contains(list.out, k.Reveal()[13:]) {
		t.Error("list shows a key")
	}
}

func private(t *testing.T, path string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("%s has mode %v", path, info.Mode())
	}
}

func TestKeysRotate(t *testing.T) {
	dir := t.TempDir()
	first := makeKeys(t, dir)
	path := filepath.Join(dir, "keys.txt")
	os.Chmod(path, 0o644)
	rotate := func(code int, text string, args ...string) {
		t.Helper()
		r := runCommand(t, call{dir: dir}, append([]string{"keys", "rotate", "keys.txt"}, args...)...)
		r.want(t, code, text)
		for _, k := range keysOf(t, dir) {
			if strings.Contains(r.out+r.err, k.Reveal()[13:]) {
				t.Error("a key was printed")
			}
		}
		if files, _ := filepath.Glob(filepath.Join(dir, "*")); len(files) != 1 {
			t.Errorf("left behind: %v", files)
		}
	}
	rotate(0, "seals from now on")
	private(t, path)
	two := keysOf(t, dir)
	if len(two) != 2 || two[1].ID() != first.ID() || two[0].ID() == first.ID() {
		t.Fatalf("after rotate: %v", two)
	}
	rotate(0, "--front", "--behind")
	three := keysOf(t, dir)
	if len(three) != 3 || three[0].ID() != two[0].ID() || three[1].ID() != first.ID() {
		t.Fatalf("after --behind: %v", three)
	}
	rotate(0, "seals from now on", "--front", three[2].ID())
	rotate(1, "the active one", "--drop", three[2].ID())
	rotate(0, "is gone", "--drop", first.ID())
	if left := keysOf(t, dir); len(left) != 2 || left[0].ID() != three[2].ID() || left[1].ID() != two[0].ID() {
		t.Errorf("at last: %v", left)
	}
	rotate(1, "there is no key", "--front", "aaaaaaaa")
	rotate(2, "one of", "--front", "a", "--drop", "b")

	before, _ := os.ReadFile(path)
	beside := path + ".new"
	if err := os.WriteFile(beside, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	runCommand(t, call{dir: dir}, "keys", "rotate", "keys.txt").want(t, 1, "another rotation")
	os.Remove(beside)
	if err := os.WriteFile(filepath.Join(dir, "text"), []byte("hidden password\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := runCommand(t, call{dir: dir}, "keys", "rotate", "text")
	r.want(t, 1, "line 2")
	if text, _ := os.ReadFile(filepath.Join(dir, "text")); string(text) != "hidden password\n" || strings.Contains(r.err, "hidden") {
		t.Errorf("a file that holds no keys became %q: %s", text, r.err)
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("a rotation that was refused changed the file")
	}
	runCommand(t, call{dir: dir}, "keys", "rotate", "none").want(t, 1, "expected a key file")
}

func TestServeKeysRefusals(t *testing.T) {
	dir := t.TempDir()
	k := makeKeys(t, dir)
	damaged := strings.Replace(k.Reveal(), k.ID(), "aaaaaaaa", 1)
	os.WriteFile(filepath.Join(dir, "damaged"), []byte("# ours\n"+damaged+"\n"), 0o600)
	os.WriteFile(filepath.Join(dir, "empty"), nil, 0o600)
	for _, c := range []struct {
		env  string
		keys string
		text string
	}{
		{"", "none", "expected a key file"},
		{"", "empty", "no key"},
		{"", "damaged", "line 2"},
		{"", k.Reveal(), "shell's history"},
		{damaged, "", "line 1"},
	} {
		args := []string{"serve", "--listen", "127.0.0.1:0", "--store", "memory:"}
		if c.keys != "" {
			args = append(args, "--keys", c.keys)
		}
		r := runCommand(t, call{dir: dir, env: []string{"SOJOURN_KEYS=" + c.env}}, args...)
		r.want(t, 1, c.text)
		if strings.Contains(r.out+r.err, k.Reveal()[13:25]) || strings.Count(r.err, "\n") != 1 {
			t.Errorf("%q", r.err)
		}
	}
	// The keys may stand in the environment.
	server := start(t, call{env: []string{"SOJOURN_KEYS=" + k.Reveal() + "\n" + seal.GenerateKey().Reveal()}}, "--store", "memory:")
	if !strings.Contains(server.text(), "Sealed    key "+k.ID()+"; only opened with: ") || strings.Contains(server.text(), k.Reveal()[13:25]) {
		t.Errorf("start-up lines:\n%s", server.text())
	}
}

// From a store in the clear, through sealing and a rotation, to a new key alone:
// one visitor stays logged in all the way.
func TestServeSealedThroughRotation(t *testing.T) {
	dir := t.TempDir()
	server := start(t, call{dir: dir})
	v := newVisitor(server.url).login(t, "ada")
	quantity := 0
	use := func() {
		t.Helper()
		quantity++
		v.must(t, "POST", "/demo/cart", `{"item":"tea","quantity":1}`)
		if got := fmt.Sprint(v.must(t, "GET", "/_session/v1/data", "")["data"]); got != fmt.Sprintf("map[cart:map[tea:%d]]", quantity) {
			t.Errorf("the session holds %s", got)
		}
	}
	use()
	server.stop(t)
	old := makeKeys(t, dir)
	list := func(texts ...string) {
		t.Helper()
		runCommand(t, call{dir: dir}, "keys", "list", "--keys", "keys.txt", "--store", "sqlite:sojourn.db").want(t, 0, texts...)
	}
	list("unsealed")
	runCommand(t, call{dir: dir}, "keys", "seal", "--keys", "keys.txt").want(t, 0, "Sealed 1 sessions.")

	server = start(t, call{dir: dir}, "--keys", "keys.txt")
	v.url = server.url
	if !strings.Contains(server.text(), "Sealed    key "+old.ID()+" (keys.txt)") {
		t.Errorf("start-up lines:\n%s", server.text())
	}
	use()
	runCommand(t, call{dir: dir}, "sessions", "list", "--keys", "keys.txt").want(t, 0, "ada")
	runCommand(t, call{dir: dir}, "sessions", "list").want(t, 1, "sealed and the keys are missing")
	runCommand(t, call{dir: dir}, "token", "inspect", "--store", "sqlite:sojourn.db", "--keys", "keys.txt", strings.TrimPrefix(v.cookie, "sojourn=")).want(t, 0, "the secret is right")

	runCommand(t, call{dir: dir}, "keys", "rotate", "keys.txt").want(t, 0)
	fresh := keysOf(t, dir)[0]
	hangup(t, server, "keys read again")
	use()
	list(fresh.ID()+"  seals  1", old.ID()+"  opens  ")
	runCommand(t, call{dir: dir}, "keys", "reseal", "--keys", "keys.txt").want(t, 0, "Sealed 0 sessions anew.")
	runCommand(t, call{dir: dir}, "keys", "rotate", "keys.txt", "--drop", old.ID()).want(t, 0)
	hangup(t, server, "keys read again")
	use()

	// A file that is broken changes nothing.
	if err := os.WriteFile(filepath.Join(dir, "keys.txt"), []byte("oops\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	hangup(t, server, "not everything")
	use()
	for _, k := range []seal.Key{old, fresh} {
		if strings.Contains(server.text(), k.Reveal()[13:25]) {
			t.Error("a key was logged")
		}
	}
}

// hangup sends SIGHUP and waits until the server has said text once more.
func hangup(t *testing.T, r *running, text string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("SIGHUP: this system has none")
	}
	before := strings.Count(r.text(), text)
	if err := r.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); strings.Count(r.text(), text) == before; time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the server did not say %q:\n%s", text, r.text())
		}
	}
}

func TestServeWarnsOfOpenKeyFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("this system has no modes")
	}
	dir := t.TempDir()
	makeKeys(t, dir)
	if s := start(t, call{dir: dir}, "--store", "memory:", "--keys", "keys.txt"); strings.Contains(s.text(), "Warning") {
		t.Errorf("a warning:\n%s", s.text())
	}
	os.Chmod(filepath.Join(dir, "keys.txt"), 0o640)
	if s := start(t, call{dir: dir}, "--store", "memory:", "--keys", "keys.txt"); !strings.Contains(s.text(), "chmod 600") {
		t.Errorf("no warning:\n%s", s.text())
	}
}
