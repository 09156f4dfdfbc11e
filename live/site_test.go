package live_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/live"
	"github.com/sojournhq/sojourn/store/memstore"
	"github.com/sojournhq/sojourn/webapi"
)

// TestMain fails the package if tests leave goroutines behind.
func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 {
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			left := leftovers()
			if len(left) == 0 {
				break
			}
			if time.Now().After(end) {
				fmt.Fprintf(os.Stderr, "%d goroutines outlived the tests:\n\n%s\n", len(left), strings.Join(left, "\n\n"))
				code = 1
				break
			}
		}
	}
	os.Exit(code)
}

func leftovers() (left []string) {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for i, stack := range strings.Split(strings.TrimSpace(string(stacks)), "\n\n") {
		if i > 0 && !expected(stack) {
			left = append(left, stack)
		}
	}
	return left
}

// expected are the goroutines of package testing itself.
func expected(stack string) bool {
	return slices.ContainsFunc([]string{"testing.(*", "internal/fuzz.", "os/signal.", "runtime.ensureSigM"}, func(part string) bool { return strings.Contains(stack, part) })
}

// A faulty store can be down, and counts what is asked of it.
type faulty struct {
	sojourn.Store
	mu      sync.Mutex
	down    bool
	loaded  func() // after a load, once
	touches int
	updates int
}

func (f *faulty) Unwrap() sojourn.Store { return f.Store }

func (f *faulty) set(down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = down
}

func (f *faulty) writes() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.touches + f.updates
}

func (f *faulty) Load(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
	f.mu.Lock()
	down, hook := f.down, f.loaded
	f.loaded = nil
	f.mu.Unlock()
	if down {
		return sojourn.Record{}, errors.New("down")
	}
	r, err := f.Store.Load(ctx, id)
	if hook != nil {
		hook()
	}
	return r, err
}

func (f *faulty) Touch(ctx context.Context, r *sojourn.Record, until time.Time) error {
	f.mu.Lock()
	f.touches++
	f.mu.Unlock()
	return f.Store.Touch(ctx, r, until)
}

func (f *faulty) Update(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
	f.mu.Lock()
	f.updates++
	f.mu.Unlock()
	return f.Store.Update(ctx, r)
}

// A site is a server with a hub, reached through real sockets or, under a fake
// clock, through pipes.
type site struct {
	t       testing.TB
	hub     *live.Hub
	manager *sojourn.Manager
	store   *faulty
	base    string // of the API
	client  *http.Client
}

type settings struct {
	hub    live.Options
	rules  sojourn.Options
	pipes  bool
	store  sojourn.Store
	server func(*http.Server, *http.Transport)
}

func newSite(t testing.TB, set settings) *site {
	t.Helper()
	if set.hub.DrainOver == 0 {
		set.hub.DrainOver = 50 * time.Millisecond
	}
	hub, err := live.New(&set.hub)
	if err != nil {
		t.Fatal(err)
	}
	if set.store == nil {
		set.store = memstore.New(nil)
	}
	s := &site{t: t, hub: hub, store: &faulty{Store: set.store}}
	set.rules.Cookie.Insecure = true
	set.rules.ErrorHandler = webapi.ErrorHandler
	set.rules.Observers = append(set.rules.Observers, hub)
	if s.manager, err = sojourn.New(s.store, &set.rules); err != nil {
		t.Fatal(err)
	}
	api, err := webapi.New(s.manager, &webapi.Options{Live: hub, Readable: []string{"cart", "big", "ui.*"}, Writable: []string{"cart", "big", "ui.*"}})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/_session/", api)
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) {
		session, _ := sojourn.From(r.Context())
		if err := session.Login(r.Context(), r.FormValue("user")); err != nil {
			s.manager.Error(w, r, err)
		}
	})
	mux.HandleFunc("GET /use", func(w http.ResponseWriter, r *http.Request) {
		session, _ := sojourn.From(r.Context())
		id, _ := session.ID(r.Context())
		fmt.Fprint(w, id)
	})
	mux.HandleFunc("GET /renew", func(w http.ResponseWriter, r *http.Request) {
		session, _ := sojourn.From(r.Context())
		if err := session.RenewNow(r.Context()); err != nil {
			s.manager.Error(w, r, err)
		}
	})
	server := &http.Server{Handler: s.manager.Handler(mux)}
	transport := &http.Transport{MaxIdleConnsPerHost: 1000}
	if set.server != nil {
		set.server(server, transport)
	}
	var listener net.Listener
	if set.pipes {
		pipes := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
		listener = pipes
		transport.DialContext = pipes.dial
		s.base = "http://site.example"
	} else {
		if listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		s.base = "http://" + listener.Addr().String()
	}
	s.client = &http.Client{Transport: transport}
	served := make(chan struct{})
	go func() { defer close(served); server.Serve(listener) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := hub.Drain(ctx); err != nil {
			t.Error(err)
		}
		server.Close()
		<-served
		transport.CloseIdleConnections()
		s.manager.Close()
	})
	return s
}

type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { l.once.Do(func() { close(l.done) }); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// A page is one browser profile: a cookie.
type page struct {
	*site
	cookie string
	id     sojourn.ID
}

func (s *site) login(user string) *page {
	p := &page{site: s}
	p.relogin(user)
	return p
}

func (p *page) relogin(user string) {
	p.t.Helper()
	p.get("/login?user=" + user)
	p.id = sojourn.ID(p.get("/use"))
	if p.id == "" {
		p.t.Fatal("no session after login")
	}
}

// get makes a request that counts as use where the session is used.
func (p *page) get(path string) string {
	p.t.Helper()
	status, body := p.do("GET", path, "")
	if status != 200 {
		p.t.Fatalf("GET %s: %d %s", path, status, body)
	}
	return body
}

func (p *page) api(method, path, body string, header ...string) (int, string) {
	p.t.Helper()
	return p.do(method, "/_session/v1/"+path, body, header...)
}

func (p *page) do(method, path, body string, header ...string) (int, string) {
	p.t.Helper()
	req, err := http.NewRequest(method, p.base+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	if p.cookie != "" {
		req.Header.Set("Cookie", p.cookie)
	}
	req.Header.Set("X-Session-CSRF", "1")
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := p.client.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	p.keep(resp)
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b)
}

func (p *page) keep(resp *http.Response) {
	for _, c := range resp.Cookies() {
		p.cookie = c.Name + "=" + c.Value
	}
}

func (p *page) status() (m map[string]any) {
	p.t.Helper()
	if err := json.Unmarshal([]byte(p.get("/_session/v1/status")), &m); err != nil {
		p.t.Fatal(err)
	}
	return m
}

func (p *page) cursor() string { p.t.Helper(); return p.status()["cursor"].(string) }

// A message is a frame as a page gets it.
type message struct {
	ID   string          `json:"id"`
	Type string          `json:"type"`
	CID  string          `json:"cid"`
	Rev  uint64          `json:"rev"`
	Data json.RawMessage `json:"data"`

	at time.Time // received
}

type greeting struct {
	Recovered bool            `json:"recovered"`
	Cursor    string          `json:"cursor"`
	Status    json.RawMessage `json:"status"`
}

// A link is a connection over any transport. frames is closed at its end, when
// code and reason say why.
type link struct {
	hello  greeting
	frames chan message
	code   int
	reason string
	ws     *websocket.Conn
	cancel context.CancelFunc
	done   chan struct{}
}

var transports = []string{"ws", "sse", "poll"}

// connect opens a link and waits for its hello; nil if it was refused, with an
// HTTP status, or a close code.
func (p *page) connect(transport, cursor string) (*link, int) {
	p.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	l := &link{frames: make(chan message, 4096), cancel: cancel, done: make(chan struct{})}
	var first message
	var refused int
	switch transport {
	case "ws":
		first, refused = p.connectWS(ctx, l, cursor)
	case "sse":
		first, refused = p.connectSSE(ctx, l, cursor)
	case "poll":
		refused = p.connectPoll(ctx, l, cursor)
		if refused == 0 {
			return l, 0
		}
	}
	if refused != 0 {
		cancel()
		return nil, refused
	}
	if first.Type != "hello" || json.Unmarshal(first.Data, &l.hello) != nil {
		p.t.Fatalf("%s: first frame %s %s", transport, first.Type, first.Data)
	}
	return l, 0
}

func (p *page) mustConnect(transport, cursor string) *link {
	p.t.Helper()
	l, refused := p.connect(transport, cursor)
	if l == nil {
		p.t.Fatalf("%s: refused with %d", transport, refused)
	}
	return l
}

func (p *page) connectWS(ctx context.Context, l *link, cursor string) (first message, refused int) {
	ws, resp, err := websocket.Dial(ctx, p.base+"/_session/v1/ws?cursor="+cursor, &websocket.DialOptions{
		HTTPClient: p.client, Subprotocols: []string{"session.v1"},
		HTTPHeader: http.Header{"Cookie": {p.cookie}, "Origin": {p.base}},
	})
	if err != nil {
		if resp == nil {
			p.t.Fatal(err)
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
			p.t.Error(err)
		}
		return nil
	}
	p.keep(resp)
	return resp
}

func (p *page) connectSSE(ctx context.Context, l *link, cursor string) (first message, refused int) {
	resp := p.request(ctx, "events?cursor="+cursor)
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
			if err := json.NewDecoder(resp.Body).Decode(&a); err != nil && ctx.Err() == nil {
				p.t.Error(err)
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
			if a, status = poll(25); status != 200 {
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

// drop ends a link without saying so.
func (l *link) drop() {
	l.cancel()
	if l.ws != nil {
		l.ws.CloseNow()
	}
	<-l.done
}

// want returns the next frame, which must be of the type; pings are passed over.
func (l *link) want(t testing.TB, typ string) message {
	t.Helper()
	timeout := time.NewTimer(2 * time.Hour) // the test's own limit is met before; under a fake clock this is
	defer timeout.Stop()
	for {
		select {
		case m, ok := <-l.frames:
			switch {
			case !ok:
				t.Fatalf("closed with %d %q, want %s", l.code, l.reason, typ)
			case m.Type == typ:
				return m
			case m.Type == "ping", m.Type == "session.status":
				continue
			}
			t.Fatalf("frame %s %s, want %s", m.Type, m.Data, typ)
		case <-timeout.C:
			t.Fatalf("no frame, want %s", typ)
		}
	}
}

// closed waits for the end and returns what was still sent.
func (l *link) closed(t testing.TB) (rest []message) {
	t.Helper()
	for m := range l.frames {
		rest = append(rest, m)
	}
	return rest
}
