package sqlstore

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// asNobody runs f as a user without rights, where the tests run as root, whom
// nothing refuses.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		f()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlock: the thread ends with its goroutine
		const nobody = 65534
		if err := syscall.Setfsuid(nobody); err != nil {
			t.Errorf("setfsuid: %v", err)
			return
		}
		f()
	}()
	<-done
}

// reachable lets every user into the folder of t.
func reachable(t *testing.T) string {
	dir := t.TempDir()
	for d := dir; d != filepath.Clean(os.TempDir()) && d != "/"; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Skip("the temporary folder cannot be opened to others")
		}
	}
	return dir
}

func TestOpenRefusesWhatItMayNotWrite(t *testing.T) {
	made := func(mode os.FileMode) string {
		dir := reachable(t)
		path := filepath.Join(dir, "sessions.db")
		s, err := OpenSQLite(t.Context(), path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	t.Run("file", func(t *testing.T) {
		path := made(0o444)
		asNobody(t, func() { refused(t, path, "read-only", "nothing was changed") })
	})
	t.Run("secret file", func(t *testing.T) {
		path := made(0o000)
		asNobody(t, func() { refused(t, path) })
	})
	t.Run("folder of a file", func(t *testing.T) {
		path := made(0o666)
		if err := os.Chmod(filepath.Dir(path), 0o555); err != nil {
			t.Fatal(err)
		}
		asNobody(t, func() { refused(t, path, "-wal") })
	})
	t.Run("folder", func(t *testing.T) {
		dir := reachable(t)
		if err := os.Chmod(dir, 0o555); err != nil {
			t.Fatal(err)
		}
		asNobody(t, func() { refused(t, filepath.Join(dir, "sessions.db"), "folder", "writable") })
	})
}
