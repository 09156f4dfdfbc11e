package live_test

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/live"
)

var idle = flag.Int("live.idle", 1000, "idle connections to measure the memory of")

// TestMain's other half: the clients live in a process of their own, so that
// only the server's memory is measured, and its file descriptors last.
func TestIdleClients(t *testing.T) {
	addr := os.Getenv("SOJOURN_TEST_IDLE")
	if addr == "" {
		t.Skip("the other half of TestIdleMemory")
	}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	var conns []net.Conn
	for in.Scan() { // "path cookie"
		path, cookie, _ := strings.Cut(in.Text(), " ")
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
		fmt.Fprintf(conn, "GET /_session/v1/%s HTTP/1.1\r\nHost: %s\r\nOrigin: http://%s\r\nCookie: %s\r\n", path, addr, addr, cookie)
		if path == "ws" {
			io.WriteString(conn, "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: session.v1\r\n")
		}
		io.WriteString(conn, "\r\n")
		head := make([]byte, 12)
		if _, err := io.ReadFull(conn, head); err != nil || !strings.Contains(string(head), "101") && !strings.Contains(string(head), "200") {
			t.Fatalf("%q %v", head, err)
		}
	}
	for _, conn := range conns {
		conn.Close()
	}
}

// An idle connection, with its session's log and all that the hub keeps of it,
// costs at most 9 KiB over a WebSocket and 5 KiB as a stream (HTTP/1.1, without
// TLS and without the kernel's part).
func TestIdleMemory(t *testing.T) {
	if raceEnabled || testing.Short() {
		t.Skip("measures memory: not with the race detector")
	}
	for _, c := range []struct {
		path  string
		limit int64
	}{{"events", 5 << 10}, {"ws", 9 << 10}} {
		path, limit := c.path, c.limit
		t.Run(path, func(t *testing.T) {
			s := newSite(t, settings{hub: live.Options{DrainOver: time.Second}, server: func(_ *http.Server, transport *http.Transport) { transport.DisableKeepAlives = true }})
			cookies := make([]string, *idle)
			for i := range cookies {
				_, token, err := s.manager.Create(t.Context(), "ada"+strconv.Itoa(i))
				if err != nil {
					t.Fatal(err)
				}
				cookies[i] = "sojourn=" + token.Reveal()
			}
			cmd := exec.Command(os.Args[0], "-test.run=^TestIdleClients$")
			cmd.Env = append(os.Environ(), "SOJOURN_TEST_IDLE="+strings.TrimPrefix(s.base, "http://"))
			cmd.Stderr = os.Stderr
			feed, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			debug.FreeOSMemory()
			used, resident := heap(), rss()
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			for _, cookie := range cookies {
				fmt.Fprintln(feed, path, cookie)
			}
			for end := time.Now().Add(2 * time.Minute); s.hub.Connections() < *idle; time.Sleep(10 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("%d connections", s.hub.Connections())
				}
			}
			time.Sleep(time.Second) // net/http's goroutines end
			each := (heap() - used) / int64(*idle)
			debug.FreeOSMemory()
			eachResident := (rss() - resident) / int64(*idle)
			t.Logf("%d idle connections: %d B each in use, %d B resident, %.2f goroutines", *idle, each, eachResident, float64(runtime.NumGoroutine())/float64(*idle))
			if each > limit {
				t.Errorf("%d B each, at most %d", each, limit)
			}
			feed.Close()
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}

// rss is the resident set of this process, where the system tells.
func rss() int64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	pages, _ := strconv.ParseInt(strings.Fields(string(b))[1], 10, 64)
	return pages * int64(os.Getpagesize())
}
