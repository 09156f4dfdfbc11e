package sizes

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Self is the CPU time of this program.
func Self() (time.Duration, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, err
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}

// Children is the CPU time of the processes that this program started, and of
// theirs: a database server may be many. Linux only: it reads /proc.
func Children() (time.Duration, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	type process struct {
		parent int
		ticks  int64
	}
	processes := map[int]process{}
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// pid (name) state ppid … utime(14) stime(15) cutime(16) cstime(17), see proc_pid_stat(5)
		_, rest, _ := strings.Cut(string(text), ") ")
		f := strings.Fields(rest)
		if len(f) < 15 {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		p := process{}
		p.parent, _ = strconv.Atoi(f[1])
		for _, field := range f[11:15] {
			n, _ := strconv.ParseInt(field, 10, 64)
			p.ticks += n
		}
		processes[pid] = p
	}
	me := os.Getpid()
	var ticks int64
	for pid, p := range processes {
		for up := pid; up > 1; up = processes[up].parent {
			if up == me && pid != me {
				ticks += p.ticks
				break
			}
		}
	}
	const perSecond = 100 // USER_HZ, the same on every Linux that Go supports
	return time.Duration(ticks) * time.Second / perSecond, nil
}
