package testenv

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

const installMemcached = "apt-get install memcached"

// A Memcached is one memcached. It holds everything in memory, so Kill and Start
// empty it.
type Memcached struct {
	*Process
	Addr string
}

// StartMemcached starts a memcached and waits until it answers. args are further
// options of its command line: "-I", "2m" for larger items, "-C" for no
// compare-and-swap.
func StartMemcached(t TB, args ...string) *Memcached {
	t.Helper()
	path := Binary(t, installMemcached, "memcached")
	port := Port(t)
	all := append([]string{"-l", "127.0.0.1", "-p", strconv.Itoa(port), "-U", "0", "-t", "2", "-m", "64"}, args...)
	if os.Geteuid() == 0 {
		all = append(all, "-u", "root") // it refuses to run as root unless told to
	}
	m := &Memcached{Process: Command(t, t.TempDir(), "memcached", path, all), Addr: Loopback(port)}
	m.Start()
	return m
}

// Start runs the server, again after Kill or Stop, at the same address.
func (m *Memcached) Start() {
	m.t.Helper()
	m.Process.Start()
	m.Ready(10*time.Second, func() error {
		c, err := net.DialTimeout("tcp", m.Addr, time.Second)
		if err != nil {
			return err
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(time.Second))
		fmt.Fprint(c, "version\r\n")
		line, err := bufio.NewReader(c).ReadString('\n')
		if err == nil && !strings.HasPrefix(line, "VERSION ") {
			err = fmt.Errorf("unexpected answer %q", line)
		}
		return err
	})
}
