package testenv

import (
	"fmt"
	"os"
	"syscall"
)

// A Disk is a file system of its own, small enough to be filled.
type Disk struct {
	t   TB
	dir string
}

// MountDisk makes dir, which is created, a disk of that many bytes until the
// test ends, and gives it to the user who runs the servers. It skips the test
// where it may not mount one, as outside of containers without root.
func MountDisk(t TB, dir string, bytes int) *Disk {
	t.Helper()
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatalf("%v", err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, size(bytes)); err != nil {
		t.Skipf("a disk that can be filled needs the right to mount one: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	uid, gid := somebody(t)
	if err := os.Chown(dir, uid, gid); err != nil {
		t.Fatalf("%v", err)
	}
	return &Disk{t, dir}
}

// Resize makes the disk larger, as an operator does.
func (d *Disk) Resize(bytes int) {
	d.t.Helper()
	if err := syscall.Mount("tmpfs", d.dir, "tmpfs", syscall.MS_REMOUNT, size(bytes)); err != nil {
		d.t.Fatalf("%v", err)
	}
}

func size(bytes int) string { return fmt.Sprintf("size=%d,mode=0700", bytes) }
