//go:build !linux

package testenv

// A Disk is a file system of its own, small enough to be filled: on Linux only.
type Disk struct{}

// MountDisk skips the test.
func MountDisk(t TB, _ string, _ int) *Disk {
	t.Skipf("a disk that can be filled is mounted on Linux only")
	return nil
}

// Resize is never called.
func (*Disk) Resize(int) {}
