//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package filekeeper

import (
	"errors"
	"os"
	"syscall"
)

const (
	hasLocks = true
	noFollow = syscall.O_NOFOLLOW
)

func tryLock(f *os.File, alone bool) (locked bool, err error) {
	how := syscall.LOCK_SH
	if alone {
		how = syscall.LOCK_EX
	}
	err = syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR) {
		return false, nil
	}
	return err == nil, err
}
