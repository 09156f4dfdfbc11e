package testenv

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

func TestRedisKeepsItsAddressAndItsFiles(t *testing.T) {
	r := StartRedis(t, &RedisOptions{Config: []string{"appendonly yes", "appendfsync always"}})
	r.Do("SET", "a", "1")
	r.Kill()
	if _, err := r.do(time.Second, "PING"); err == nil {
		t.Error("a killed server answers")
	}
	r.Start()
	if got := r.Do("GET", "a"); got != "1" {
		t.Errorf("after kill -9 and a start, GET: %v", got)
	}
	r.Stop()
}

func TestRedisWithTLSAndPassword(t *testing.T) {
	r := StartRedis(t, &RedisOptions{TLS: true, Password: "secret"})
	if got := r.Do("PING"); got != "PONG" {
		t.Errorf("PING: %v", got)
	}
	if conn, err := net.Dial("tcp", r.Addr); err == nil { // it speaks TLS only
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(time.Second))
		io.WriteString(conn, "PING\r\n")
		if b, _ := io.ReadAll(conn); strings.Contains(string(b), "PONG") {
			t.Error("the server answers without TLS")
		}
	}
}

// echo answers every byte with itself.
func echo(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				io.Copy(c, c)
				c.Close()
			}()
		}
	}()
	return l.Addr().String()
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(5 * time.Second))
	return c
}

func ask(c net.Conn) error {
	var b [1]byte
	if _, err := c.Write([]byte{'x'}); err != nil {
		return err
	}
	_, err := io.ReadFull(c, b[:])
	return err
}

func TestProxyCountsTurns(t *testing.T) {
	p := StartProxy(t, echo(t))
	c := dial(t, p.Addr)
	for range 10 {
		if err := ask(c); err != nil {
			t.Fatal(err)
		}
	}
	if p.Turns() != 10 || p.Sent() != 10 || p.Received() != 10 || p.Conns() != 1 {
		t.Errorf("10 questions: %d turns, %d bytes sent, %d received, %d connections", p.Turns(), p.Sent(), p.Received(), p.Conns())
	}
}

func TestProxyDelaysAndFreezes(t *testing.T) {
	p := StartProxy(t, echo(t))
	c := dial(t, p.Addr)
	p.Delay(20 * time.Millisecond)
	began := time.Now()
	if err := ask(c); err != nil || time.Since(began) < 40*time.Millisecond {
		t.Errorf("with 20 ms of delay each way, an answer after %v, error %v", time.Since(began), err)
	}
	p.Delay(0)
	p.Freeze()
	c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if err := ask(c); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("frozen: error %v", err)
	}
	p.Thaw()
	c.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		t.Errorf("after the thaw, what was held back: %v", err)
	}
}

func TestProxyCuts(t *testing.T) {
	p := StartProxy(t, echo(t))
	a, b := dial(t, p.Addr), dial(t, p.Addr)
	if ask(a) != nil || ask(b) != nil {
		t.Fatal("no answer before the cut")
	}
	done := p.CutAnswer()
	if err := ask(a); err == nil {
		t.Error("an answer came although it was cut")
	}
	<-done
	if err := ask(b); err != nil {
		t.Errorf("the other connection: %v", err)
	}
	p.Cut()
	if err := ask(b); err == nil {
		t.Error("an answer on a connection that was cut")
	}
	p.Refuse(true)
	if err := ask(dial(t, p.Addr)); err == nil {
		t.Error("an answer on a connection that was refused")
	}
}

func TestSharedSkipsEveryone(t *testing.T) {
	starts := 0
	server := Shared(func(t TB) int {
		starts++
		t.Skipf("nothing to install")
		return 1
	})
	for range 2 {
		t.Run("", func(t *testing.T) {
			defer func() {
				if !t.Skipped() {
					t.Error("it runs without its server")
				}
			}()
			server(t)
		})
	}
	if starts != 1 {
		t.Errorf("%d starts", starts)
	}
}

func TestClusterAndSentinel(t *testing.T) {
	if testing.Short() {
		t.Skip("starts six servers, left out by -short")
	}
	c := StartRedisCluster(t, nil)
	if len(strings.Split(c.Addrs(), ",")) != 3 {
		t.Error(c.Addrs())
	}
	p := StartRedis(t, nil)
	r := StartRedisReplica(t, p.Addr, nil)
	if got := r.Info("role"); got != "slave" {
		t.Errorf("the replica's role: %q", got)
	}
	StartSentinel(t, "main", p)
}
