package testenv

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A Process is a server program under test. It is killed when the test ends;
// its output is shown if the test failed.
type Process struct {
	Dir string // its working folder

	t    TB
	name string
	path string
	args []string
	env  []string
	log  string // the file with its output
	// workers that it starts do not end with it, so they are ended, too.
	workers bool

	mu     sync.Mutex
	cmd    *exec.Cmd
	exited chan struct{}
}

// Command prepares the program at path, to be started with [Process.Start]. Its
// working folder is dir, the output of all its runs is kept in dir/name.log. env
// are additional variables, as in "LC_ALL=C".
func Command(t TB, dir, name, path string, args []string, env ...string) *Process {
	t.Helper()
	p := &Process{Dir: dir, t: t, name: name, path: path, args: args, env: env, log: filepath.Join(dir, name+".log")}
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("the output of %s:\n%s", name, p.Output())
		}
	})
	return p
}

// Start runs the program, again after [Process.Kill] or [Process.Stop].
func (p *Process) Start() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		p.t.Fatalf("%s runs already", p.name)
	}
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		p.t.Fatalf("%v", err)
	}
	defer out.Close()
	cmd := exec.Command(p.path, p.args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.Dir, out, out
	cmd.Env = append(os.Environ(), p.env...)
	if err := spawn(cmd, p.workers); err != nil {
		p.t.Fatalf("starting %s: %v", p.name, err)
	}
	exited := make(chan struct{})
	go func() {
		cmd.Wait()
		close(exited)
	}()
	p.cmd, p.exited = cmd, exited
}

// Ready waits until check succeeds, at most that long; the test fails at once if
// the process ends instead.
func (p *Process) Ready(atMost time.Duration, check func() error) {
	p.t.Helper()
	p.mu.Lock()
	exited := p.exited
	p.mu.Unlock()
	if err := poll(atMost, exited, check); err != nil {
		p.t.Fatalf("%s is not ready within %v: %v\n%s", p.name, atMost, err, p.Output())
	}
}

// Kill ends the process as a crash does, kill -9, and waits for its end.
func (p *Process) Kill() { p.end(syscall.SIGKILL, 0) }

// Stop asks the process to end and waits; it is killed after ten seconds.
func (p *Process) Stop() { p.end(syscall.SIGTERM, 10*time.Second) }

func (p *Process) end(signal syscall.Signal, patience time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return
	}
	p.cmd.Process.Signal(signal)
	if patience > 0 {
		select {
		case <-p.exited:
		case <-time.After(patience):
			p.cmd.Process.Kill()
		}
	}
	<-p.exited
	if p.workers {
		reap(p.cmd.Process.Pid)
	}
	p.cmd = nil
}

// Signal sends a signal, such as SIGSTOP, to the running process.
func (p *Process) Signal(s syscall.Signal) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		p.t.Fatalf("%s does not run", p.name)
	}
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatalf("signal to %s: %v", p.name, err)
	}
}

// Output is the end of what the process has printed.
func (p *Process) Output() string {
	all, err := os.ReadFile(p.log)
	if err != nil {
		return fmt.Sprintf("(no output: %v)", err)
	}
	lines := strings.Split(strings.TrimSpace(string(all)), "\n")
	return strings.Join(lines[max(0, len(lines)-40):], "\n")
}
