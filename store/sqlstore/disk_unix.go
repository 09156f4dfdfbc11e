//go:build linux || darwin

package sqlstore

import "syscall"

// diskSpace tells how many bytes this user can still write beside a file, and
// how many the file system has.
func diskSpace(path string) (free, total int64, ok bool) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(path, &fs); err != nil {
		return 0, 0, false
	}
	return int64(fs.Bavail) * int64(fs.Bsize), int64(fs.Blocks) * int64(fs.Bsize), true
}
