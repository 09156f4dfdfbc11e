package testenv

import (
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
)

// Database servers refuse to run as root, as tests do in containers. There they
// run as one of these users instead.
var unprivileged = []string{"postgres", "mysql", "nobody"}

// asUser is the command line that runs the program without root's rights, and
// prepares dir as its folder. Where tests do not run as root, it is the program.
func asUser(t TB, dir, path string, args []string) (string, []string) {
	t.Helper()
	if os.Geteuid() != 0 {
		return path, args
	}
	setpriv, err := exec.LookPath("setpriv")
	if err != nil {
		t.Fatalf("%s does not run as root, and there is no setpriv to run it as somebody else: apt-get install util-linux", filepath.Base(path))
	}
	uid, gid := somebody(t)
	if err := os.Chown(dir, uid, gid); err != nil {
		t.Fatalf("%v", err)
	}
	// The way to the folder must be open; the folder of a test lies in a private one.
	if parent := filepath.Dir(dir); parent != filepath.Clean(os.TempDir()) {
		if err := os.Chmod(parent, 0o711); err != nil {
			t.Fatalf("%v", err)
		}
	}
	// A change of user drops the wish to die with the parent: see spawn.
	drop := []string{"--reuid", strconv.Itoa(uid), "--regid", strconv.Itoa(gid), "--clear-groups", "--pdeathsig", "KILL", "--", path}
	return setpriv, append(drop, args...)
}

func somebody(t TB) (uid, gid int) {
	t.Helper()
	for _, name := range unprivileged {
		if u, err := user.Lookup(name); err == nil {
			uid, _ = strconv.Atoi(u.Uid)
			gid, _ = strconv.Atoi(u.Gid)
			return uid, gid
		}
	}
	t.Fatalf("there is no user to run a database as: expected one of %v", unprivileged)
	return 0, 0
}
