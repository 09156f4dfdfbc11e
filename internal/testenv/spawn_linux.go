package testenv

import (
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

// spawn starts a command that the kernel kills when this process ends, however
// it ends. The kernel watches the thread that started it, so one thread starts
// all and never ends.
func spawn(cmd *exec.Cmd) error {
	spawner.Do(func() {
		go func() {
			runtime.LockOSThread()
			for s := range spawns {
				s.done <- s.cmd.Start()
			}
		}()
	})
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	s := spawning{cmd, make(chan error)}
	spawns <- s
	return <-s.done
}

type spawning struct {
	cmd  *exec.Cmd
	done chan error
}

var (
	spawner sync.Once
	spawns  = make(chan spawning)
)
