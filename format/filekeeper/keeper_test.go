//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package filekeeper_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/format/filekeeper"
	"github.com/sojournhq/sojourn/format/formattest"
)

func key(name string) string { return "sess_" + name }

func TestKeeper(t *testing.T) {
	k, err := filekeeper.New(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	formattest.RunKeeper(t, k, &formattest.KeeperOptions{Key: key})
}

func TestDepth(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "a", "b"), 0o700); err != nil {
		t.Fatal(err)
	}
	k, err := filekeeper.New(dir, &filekeeper.Options{Depth: 2})
	if err != nil {
		t.Fatal(err)
	}
	formattest.RunKeeper(t, k, &formattest.KeeperOptions{Key: func(name string) string { return "sess_ab" + name }})
	if err := k.Swap(t.Context(), "sess_abc", nil, []byte("x"), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(filepath.Join(dir, "a", "b", "sess_abc")); err != nil || st.Mode() != 0o600 {
		t.Errorf("%v, %v", st, err)
	}
}

func TestLeavesTheFolderAlone(t *testing.T) {
	dir := t.TempDir()
	k, err := filekeeper.New(filepath.Join(dir), nil)
	if err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(outside, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "sess_link")); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "sess_", "x", "sess_../secret", "sess_a/b", "sess_a\x00", "other_a", "sess_" + string(make([]byte, 300))} {
		if _, _, err := k.Read(t.Context(), bad); !errors.Is(err, sojourn.ErrNotFound) {
			t.Errorf("%q: %v", bad, err)
		}
		if err := k.Swap(t.Context(), bad, nil, []byte("y"), time.Time{}); !errors.Is(err, sojourn.ErrNotFound) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, _, err := k.Read(t.Context(), "sess_link"); err == nil {
		t.Error("a link was followed")
	}
}

// PHP's lock is waited for: nothing is read or written under it.
func TestLock(t *testing.T) {
	dir := t.TempDir()
	k, err := filekeeper.New(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Swap(t.Context(), "sess_a", nil, []byte("one"), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "sess_a"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, _, err := k.Read(ctx, "sess_a"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Read under the lock: %v", err)
	}
	if _, err := f.WriteAt([]byte("two"), 0); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(30*time.Millisecond, func() { f.Close() })
	if err := k.Swap(t.Context(), "sess_a", []byte("one"), []byte("three"), time.Time{}); !errors.Is(err, sojourn.ErrConflict) {
		t.Errorf("Swap of what PHP has changed meanwhile: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	for what, f := range map[string]func() (*filekeeper.Keeper, error){
		"no folder": func() (*filekeeper.Keeper, error) { return filekeeper.New("/nonexistent", nil) },
		"depth":     func() (*filekeeper.Keeper, error) { return filekeeper.New(t.TempDir(), &filekeeper.Options{Depth: 9}) },
	} {
		if _, err := f(); !errors.Is(err, sojourn.ErrInvalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
