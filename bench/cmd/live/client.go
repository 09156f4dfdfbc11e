package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A link is one connection of a page, by hand: it costs the client little.
type link struct {
	net.Conn
	in     *bufio.Reader
	ws     bool
	cursor string        // with each event
	spread time.Duration // over which to come back
}

// dial connects and returns when the hello has come. from is the client's own
// address, "" for any.
func dial(addr, from, transport, token, cursor string) (*link, error) {
	d := net.Dialer{Timeout: 5 * time.Second}
	if from != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
	}
	conn, err := d.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	l := &link{Conn: conn, in: bufio.NewReaderSize(conn, 1024), ws: transport == "ws"}
	path, upgrade := "events", ""
	if l.ws {
		path = "ws"
		upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: session.v1\r\n"
	}
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprintf(conn, "GET /_session/v1/%s?cursor=%s HTTP/1.1\r\nHost: %s\r\nOrigin: http://%s\r\nCookie: sojourn=%s\r\n%s\r\n", path, cursor, addr, addr, token, upgrade)
	status, err := l.in.ReadString('\n')
	for line := status; err == nil && line != "\r\n"; {
		line, err = l.in.ReadString('\n')
	}
	if err == nil && !strings.Contains(status, " 101 ") && !strings.Contains(status, " 200 ") {
		err = fmt.Errorf("%s: %s", addr, strings.TrimSpace(status))
	}
	if err == nil {
		var m message
		if m, err = l.next(); err == nil && m.Type != "hello" {
			err = fmt.Errorf("%s: %s instead of the hello", addr, m.Type)
		}
		l.cursor, l.spread = m.Data.Cursor, time.Duration(m.Data.Spread)*time.Millisecond
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	conn.SetDeadline(time.Time{})
	return l, nil
}

type message struct {
	ID   string `json:"id"`
	Type string `json:"type"`
	Data greeting
	at   string // of app.t
}

type greeting struct {
	Cursor string
	Spread int64 `json:"spread_ms"`
}

// next reads frames up to one that is no ping, and answers those.
func (l *link) next() (m message, err error) {
	for {
		body, err := l.frame()
		if err != nil {
			return m, err
		}
		var raw struct {
			ID, Type string
			Data     json.RawMessage
		}
		if err := json.Unmarshal(body, &raw); err != nil {
			return m, fmt.Errorf("frame %q: %w", body, err)
		}
		if raw.Type == "ping" {
			var g greeting
			if json.Unmarshal(raw.Data, &g) == nil && g.Spread > 0 {
				l.spread = time.Duration(g.Spread) * time.Millisecond
			}
			if l.ws {
				if _, err := l.Write(pong); err != nil {
					return m, err
				}
			}
			continue
		}
		m = message{ID: raw.ID, Type: raw.Type}
		switch raw.Type {
		case "hello":
			_ = json.Unmarshal(raw.Data, &m.Data)
		case "app.t":
			_ = json.Unmarshal(raw.Data, &m.at)
		}
		if m.ID != "" {
			l.cursor = m.ID
		}
		return m, nil
	}
}

// pong is {"type":"pong"} as a masked frame, with a mask of zeros.
var pong = append([]byte{0x81, 0x80 | 15, 0, 0, 0, 0}, `{"type":"pong"}`...)

func (l *link) frame() ([]byte, error) {
	if !l.ws {
		for {
			line, err := l.in.ReadString('\n')
			if err != nil {
				return nil, err
			}
			if body, ok := strings.CutPrefix(line, "data: "); ok {
				return []byte(body), nil
			}
		}
	}
	var head [2]byte
	if _, err := io.ReadFull(l.in, head[:]); err != nil {
		return nil, err
	}
	size := int(head[1])
	if size == 126 {
		var more [2]byte
		if _, err := io.ReadFull(l.in, more[:]); err != nil {
			return nil, err
		}
		size = int(binary.BigEndian.Uint16(more[:]))
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(l.in, body); err != nil {
		return nil, err
	}
	if head[0] != 0x81 {
		return nil, fmt.Errorf("closed: %q", body)
	}
	return body, nil
}

// age is how long ago an event was published.
func (m *message) age() time.Duration {
	n, err := strconv.ParseInt(m.at, 10, 64)
	if err != nil {
		return 0
	}
	return time.Duration(time.Now().UnixNano() - n)
}

// hold opens a connection for each token and keeps it, until closed.
func hold(addr, from, transport string, tokens []string) (all []*link, err error) {
	const parallel = 16
	all = make([]*link, len(tokens))
	var group sync.WaitGroup
	var mu sync.Mutex
	for w := range parallel {
		group.Go(func() {
			for i := w; i < len(tokens); i += parallel {
				l, e := dial(addr, from, transport, tokens[i], "")
				for try := 0; e != nil && try < 20; try++ { // as pages do
					time.Sleep(rand.N(2 * time.Second))
					l, e = dial(addr, from, transport, tokens[i], "")
				}
				if e != nil {
					mu.Lock()
					err = e
					mu.Unlock()
					return
				}
				all[i] = l
			}
		})
	}
	group.Wait()
	return all, err
}

// answer reads a link until it ends, so that its pings are answered.
func (l *link) answer() {
	for {
		if _, err := l.next(); err != nil {
			return
		}
	}
}

func closeAll(all []*link) {
	for _, l := range all {
		if l != nil {
			l.Close()
		}
	}
}
