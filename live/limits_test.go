package live_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/sojournhq/sojourn/live"
)

// dialRaw does the handshake of a WebSocket by hand.
func (p *page) dialRaw() (net.Conn, *bufio.Reader) {
	p.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.base, "http://"))
	if err != nil {
		p.t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET /_session/v1/ws HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: session.v1\r\nOrigin: %s\r\nCookie: %s\r\n\r\n", strings.TrimPrefix(p.base, "http://"), p.base, p.cookie)
	in := bufio.NewReader(conn)
	resp, err := http.ReadResponse(in, nil)
	if err != nil || resp.StatusCode != 101 {
		p.t.Fatal(resp, err)
	}
	return conn, in
}

// A client that never reads costs its queue at most, and holds nobody up.
func TestClientThatNeverReads(t *testing.T) {
	s := newSite(t, settings{})
	p := s.login("ada")
	good := p.mustConnect("ws", p.cursor())
	var stuck []net.Conn
	for range 20 {
		conn, _ := p.dialRaw()
		stuck = append(stuck, conn)
	}
	before := heap()
	data := strings.Repeat("x", 60<<10)
	const n = 400 // 24 MB for each of them: more than sockets take
	began := time.Now()
	for range n {
		if err := s.hub.Publish(t.Context(), live.ToSession(p.id), "app.n", data); err != nil {
			t.Fatal(err)
		}
		good.want(t, "app.n") // it keeps up
	}
	if took := time.Since(began); took > 8*time.Second && !raceEnabled {
		t.Errorf("publishing took %v: a client that does not read held it up", took)
	}
	if grown := heap() - before; grown > 20<<20 { // 20 × (a batch of 32 KiB + one event) + the log
		t.Errorf("%d KiB more in use", grown>>10)
	}
	good.drop()
	for _, conn := range stuck {
		conn.Close()
	}
	for end := time.Now().Add(15 * time.Second); s.hub.Connections() > 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d connections are left", s.hub.Connections())
		}
	}
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// One that falls behind its log is closed with 4008 and recovers by its cursor,
// or is told that it cannot.
func TestSlowClientIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, settings{pipes: true, hub: live.Options{Retention: live.Retention{Events: 8}}})
		p := s.login("ada")
		ws, _, err := websocket.Dial(t.Context(), s.base+"/_session/v1/ws", &websocket.DialOptions{HTTPClient: s.client, Subprotocols: []string{"session.v1"},
			HTTPHeader: http.Header{"Cookie": {p.cookie}, "Origin": {s.base}}})
		if err != nil {
			t.Fatal(err)
		}
		for n := range 20 { // a pipe holds nothing: the first write waits
			s.hub.Publish(t.Context(), live.ToSession(p.id), "app.n", n)
		}
		for err == nil {
			_, _, err = ws.Read(t.Context())
		}
		if websocket.CloseStatus(err) != 4008 {
			t.Error(err)
		}
		// One that does not even read that is given up.
		for _, transport := range []string{"ws", "sse"} {
			defer p.rawPipe(transport).Close()
		}
		time.Sleep(time.Second)
		if n := s.hub.Connections(); n != 2 {
			t.Fatalf("%d connections", n)
		}
		for n := range 20 {
			s.hub.Publish(t.Context(), live.ToSession(p.id), "app.n", n)
		}
		time.Sleep(20 * time.Second)
		if n := s.hub.Connections(); n != 0 {
			t.Errorf("%d connections after their writes timed out", n)
		}
	})
}

// rawPipe asks for a stream or socket and reads nothing but the head.
func (p *page) rawPipe(transport string) net.Conn {
	p.t.Helper()
	conn, err := p.client.Transport.(*http.Transport).DialContext(p.t.Context(), "", "")
	if err != nil {
		p.t.Fatal(err)
	}
	path, more := "events", ""
	if transport == "ws" {
		path, more = "ws", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: session.v1\r\n"
	}
	fmt.Fprintf(conn, "GET /_session/v1/%s HTTP/1.1\r\nHost: site.example\r\n%sOrigin: %s\r\nCookie: %s\r\n\r\n", path, more, p.base, p.cookie)
	for head := []byte{}; !strings.HasSuffix(string(head), "\r\n\r\n"); {
		var b [1]byte
		if _, err := io.ReadFull(conn, b[:]); err != nil {
			p.t.Fatal(err, string(head))
		}
		head = append(head, b[0])
	}
	return conn
}

func TestMalformedFramesCloseTheSocket(t *testing.T) {
	s := newSite(t, settings{})
	p := s.login("ada")
	masked := func(head ...byte) []byte { return append(head, 0, 0, 0, 0) } // a mask of zeroes
	text := func(s string) []byte { return append(masked(0x81, 0x80|byte(len(s))), s...) }
	for name, c := range map[string]struct {
		bytes []byte
		code  int // 0: any end
	}{
		"no JSON":             {text("hello"), 4400},
		"no object":           {text("[]"), 4400},
		"no type":             {text(`{"a":1}`), 4400},
		"not UTF-8":           {text("\xff\xfe"), 4400},
		"binary":              {append(masked(0x82, 0x80|15), `{"type":"pong"}`...), 4400},
		"too large":           {append(masked(0x81, 0xff, 0, 0, 0, 0, 0, 2, 0, 0), make([]byte, 0x20000)...), 1009},
		"huge length":         {masked(0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), 0},
		"negative length":     {masked(0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), 0},
		"unmasked":            {[]byte{0x81, 2, '{', '}'}, 0},
		"reserved bits":       {masked(0xf1, 0x80), 0},
		"reserved opcode":     {masked(0x83, 0x80), 0},
		"fragmented control":  {masked(0x09, 0x80), 0},
		"continues nothing":   {masked(0x80, 0x80), 0},
		"long control":        {masked(0x89, 0xfe, 1, 0), 0},
		"close":               {masked(0x88, 0x80), 0},
		"half a frame, close": {[]byte{0x81}, 0},
	} {
		conn, in := p.dialRaw()
		conn.SetDeadline(time.Now().Add(20 * time.Second))
		conn.Write(c.bytes)
		if len(c.bytes) == 1 || c.code == 0 && c.bytes[1]&0x7f == 0x7f {
			conn.(*net.TCPConn).CloseWrite()
		}
		code := 0
		for {
			var head [2]byte
			if _, err := io.ReadFull(in, head[:]); err != nil {
				break
			}
			size := int(head[1])
			if size == 126 {
				var more [2]byte
				io.ReadFull(in, more[:])
				size = int(more[0])<<8 | int(more[1])
			}
			body := make([]byte, size)
			io.ReadFull(in, body)
			if head[0] == 0x88 && size >= 2 {
				code = int(body[0])<<8 | int(body[1])
				break
			}
		}
		if c.code != 0 && code != c.code {
			t.Errorf("%s: closed with %d, want %d", name, code, c.code)
		}
		conn.Close()
	}
	// Fragments of a good frame are one frame.
	conn, in := p.dialRaw()
	defer conn.Close()
	conn.Write(append(masked(0x01, 0x80|8), `{"type":`...))
	conn.Write(append(masked(0x89, 0x80|1), 'p'))
	conn.Write(append(masked(0x80, 0x80|19), `"app.nobody","x":1}`...))
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	var got strings.Builder
	for b := make([]byte, 512); !strings.Contains(got.String(), `"code":"rejected"`); {
		n, err := in.Read(b)
		if err != nil {
			t.Fatal(err, got.String())
		}
		got.Write(b[:n])
	}
	for end := time.Now().Add(20 * time.Second); s.hub.Connections() > 1; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d connections are left", s.hub.Connections())
		}
	}
}

// Whatever bytes a client sends over its socket, the server closes it or goes
// on, and forgets it afterwards.
func FuzzSocket(f *testing.F) {
	f.Add([]byte{0x81, 0x80, 0, 0, 0, 0})
	f.Add([]byte{0x01, 0x81, 1, 2, 3, 4, 'x', 0x80, 0x80, 0, 0, 0, 0})
	f.Add(append([]byte{0x81, 0x8f, 0, 0, 0, 0}, `{"type":"pong"}`...))
	f.Add([]byte{0x88, 0x82, 0, 0, 0, 0, 3, 232})
	s := newSite(f, settings{})
	p := s.login("ada")
	f.Fuzz(func(t *testing.T, b []byte) {
		site := *s
		site.t = t
		conn, in := (&page{site: &site, cookie: p.cookie}).dialRaw()
		conn.Write(b)
		conn.(*net.TCPConn).CloseWrite()
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.Copy(io.Discard, in); err != nil && strings.Contains(err.Error(), "timeout") {
			t.Errorf("%x: the connection stays", b)
		}
		conn.Close()
	})
}
