//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package filekeeper

import (
	"os"

	"github.com/sojournhq/sojourn"
)

const (
	hasLocks = false
	noFollow = 0
)

func tryLock(*os.File, bool) (bool, error) { return false, sojourn.ErrUnsupported }
