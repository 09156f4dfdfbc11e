package live_test

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
)

func (p *page) connectWS(ctx context.Context, l *link, cursor string) (first message, refused int) {
	ws, resp, err := websocket.Dial(ctx, p.base+"/_session/v1/ws?cursor="+cursor, &websocket.DialOptions{
		HTTPClient: p.client, Subprotocols: []string{"session.v1"},
		HTTPHeader: http.Header{"Cookie": {p.cookie}, "Origin": {p.base}},
	})
	if err != nil {
		if resp == nil {
			return first, p.cut(err)
		}
		resp.Body.Close()
		return first, resp.StatusCode
	}
	p.keep(resp)
	ws.SetReadLimit(1 << 20)
	l.ws = ws
	read := func() (m message, err error) {
		_, b, err := ws.Read(ctx)
		if err == nil && json.Unmarshal(b, &m) != nil {
			p.t.Errorf("ws: frame %q", b)
		}
		return m, err
	}
	if first, err = read(); err != nil {
		e := websocket.CloseError{Code: 0xffff}
		if !errors.As(err, &e) { // cut off
			return first, -1
		}
		return first, int(e.Code)
	}
	go func() {
		defer close(l.done)
		defer close(l.frames)
		defer ws.CloseNow()
		for {
			m, err := read()
			if err != nil {
				var e websocket.CloseError
				if errors.As(err, &e) {
					l.code, l.reason = int(e.Code), e.Reason
				}
				return
			}
			if m.Type == "ping" {
				ws.Write(ctx, websocket.MessageText, []byte(`{"type":"pong"}`))
			}
			m.at = time.Now()
			l.frames <- m
		}
	}()
	return first, 0
}

// cut is how a connection was refused that a node of another process, which may
// have died, did not answer. A node of this one always does.
func (p *page) cut(err error) int {
	if p.hub != nil {
		p.t.Error(err)
	}
	return -1
}

func (p *page) request(ctx context.Context, path string) *http.Response {
	req, err := http.NewRequestWithContext(ctx, "GET", p.base+"/_session/v1/"+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Cookie", p.cookie)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	resp, err := p.client.Do(req)
	if err != nil {
		if ctx.Err() == nil {
			p.cut(err)
		}
		return nil
	}
	p.keep(resp)
	return resp
}

func (p *page) connectSSE(ctx context.Context, l *link, cursor string) (first message, refused int) {
	resp := p.request(ctx, "events?cursor="+cursor)
	if resp == nil {
		return first, -1
	}
	if resp.StatusCode != 200 {
		resp.Body.Close()
		return first, resp.StatusCode
	}
	if ct := resp.Header.Get("Content-Type"); ct != "text/event-stream" {
		p.t.Errorf("Content-Type %q", ct)
	}
	in := bufio.NewReader(resp.Body)
	read := func() (m message, err error) {
		var id, event string
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return m, err
			}
			name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			switch name {
			case "id":
				id = value
			case "event":
				event = value
			case "data":
				if json.Unmarshal([]byte(value), &m) != nil {
					p.t.Errorf("sse: data %q", value)
				}
			case "":
				if m.ID != id || m.Type != event {
					p.t.Errorf("sse: id %q and event %q around %+v", id, event, m)
				}
				return m, nil
			}
		}
	}
	first, err := read()
	if err != nil { // cut off
		resp.Body.Close()
		return first, -1
	}
	if first.Type == "close" {
		var end struct{ Code int }
		json.Unmarshal(first.Data, &end)
		resp.Body.Close()
		return first, end.Code
	}
	go func() {
		defer close(l.done)
		defer close(l.frames)
		defer resp.Body.Close()
		for {
			m, err := read()
			if err != nil {
				return
			}
			if m.Type == "close" {
				var end struct {
					Code   int
					Reason string
				}
				json.Unmarshal(m.Data, &end)
				l.code, l.reason = end.Code, end.Reason
				continue
			}
			m.at = time.Now()
			l.frames <- m
		}
	}()
	return first, 0
}

// connectPoll polls until it is stopped; the status of the last poll is its code.
func (p *page) connectPoll(ctx context.Context, l *link, cursor string) (refused int) {
	type answer struct {
		Recovered bool
		Cursor    string
		Events    []message
		Status    json.RawMessage
		After     *int `json:"after_ms"`
	}
	own := *p // it polls while the page goes on
	poll := func(wait int) (a answer, status int) {
		resp := own.request(ctx, fmt.Sprintf("poll?cursor=%s&wait=%d", cursor, wait))
		if resp == nil {
			return a, -1
		}
		defer resp.Body.Close()
		if resp.StatusCode == 200 {
			if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
				if ctx.Err() == nil {
					p.cut(err)
				}
				return a, -1
			}
			cursor = a.Cursor
		} else {
			var problem struct{ Reason string }
			json.NewDecoder(resp.Body).Decode(&problem)
			l.reason = problem.Reason
		}
		return a, resp.StatusCode
	}
	start := cursor
	a, status := poll(0)
	if status != 200 {
		return status
	}
	l.hello = greeting{a.Recovered, start, a.Status}
	if !a.Recovered {
		l.hello.Cursor = a.Cursor
	}
	go func() {
		defer close(l.done)
		defer close(l.frames)
		for {
			for _, e := range a.Events {
				l.frames <- e
			}
			if ctx.Err() != nil {
				return
			}
			if a, status = poll(cmp.Or(p.wait, 25)); status != 200 {
				l.code = status
				return
			}
			if !a.Recovered {
				l.code = -2
				return
			}
		}
	}()
	return 0
}
