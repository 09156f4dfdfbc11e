package testenv

import (
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

// spawn starts a command that the kernel kills when this process ends, however
// it ends. The kernel watches the thread that started it, so one thread starts
// all and never ends. With group, it leads a group of its own, for [reap].
func spawn(cmd *exec.Cmd, group bool) error {
	spawner.Do(func() {
		go func() {
			runtime.LockOSThread()
			for s := range spawns {
				s.done <- s.cmd.Start()
			}
		}()
	})
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: group}
	s := spawning{cmd, make(chan error)}
	spawns <- s
	return <-s.done
}

// reap ends what the leader of a group has left when it ended: its workers.
func reap(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }

type spawning struct {
	cmd  *exec.Cmd
	done chan error
}

var (
	spawner sync.Once
	spawns  = make(chan spawning)
)
