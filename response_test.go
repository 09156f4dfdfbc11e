package sojourn_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

func TestResponseFlushCommits(t *testing.T) {
	for name, flush := range map[string]func(http.ResponseWriter) error{
		"Flusher":            func(w http.ResponseWriter) error { w.(http.Flusher).Flush(); return nil },
		"ResponseController": func(w http.ResponseWriter) error { return http.NewResponseController(w).Flush() },
	} {
		t.Run(name, func(t *testing.T) {
			var s *served
			arrived := make(chan struct{})
			s = serveOver(t, func(w http.ResponseWriter, r *http.Request) {
				keyK.Set(r.Context(), "v")
				if s.stored() != 0 {
					t.Error("stored before the answer")
				}
				if err := flush(w); err != nil {
					t.Error(err)
				}
				if s.stored() != 1 {
					t.Error("not stored by Flush")
				}
				<-arrived // the headers reach the client while the handler runs
				io.WriteString(w, "tail")
			})
			res, err := s.client.Get(s.url)
			close(arrived)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, _ := io.ReadAll(res.Body)
			s.wantCookie(answer{header: res.Header})
			if string(body) != "tail" {
				t.Errorf("body %q", body)
			}
		})
	}
}

// Hijack commits; the handler writes the head itself and finds the cookie in
// its header map.
func TestResponseHijack(t *testing.T) {
	var s *served
	s = serveOver(t, func(w http.ResponseWriter, r *http.Request) {
		keyK.Set(r.Context(), "v")
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		if s.stored() != 1 {
			t.Error("not stored by Hijack")
		}
		head := http.Response{StatusCode: 200, ProtoMajor: 1, ProtoMinor: 1, Header: w.Header(), ContentLength: 2, Body: io.NopCloser(strings.NewReader("ok"))}
		head.Write(rw)
		rw.Flush()
		if err := keyL.Set(r.Context(), "after"); err != nil { // the session lives on
			t.Error(err)
		}
		if err := session(r.Context()).Login(r.Context(), "ada"); !errors.Is(err, sojourn.ErrHeadersSent) {
			t.Errorf("login after Hijack: %v", err)
		}
	})
	a := s.must("GET")
	s.wantCookie(a)
	if a.body != "ok" {
		t.Errorf("body %q", a.body)
	}
	if got := s.complained(); got != "" {
		t.Errorf("server log: %s", got)
	}
}

func TestResponseHijackOfAWriterThatCannot(t *testing.T) {
	s := newSite(t, nil)
	h := s.m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, _, err := w.(http.Hijacker).Hijack(); !errors.Is(err, http.ErrNotSupported) {
			t.Errorf("Hijack: %v", err)
		}
		if err := w.(http.Pusher).Push("/x", nil); !errors.Is(err, http.ErrNotSupported) {
			t.Errorf("Push: %v", err)
		}
	}))
	exchange(h, "GET", "/")
}

// readerFrom sees whether the writer below gets the chance to use sendfile.
type readerFrom struct {
	http.ResponseWriter
	src []io.Reader
}

func (w *readerFrom) ReadFrom(r io.Reader) (int64, error) {
	w.src = append(w.src, r)
	return io.Copy(struct{ io.Writer }{w.ResponseWriter}, r)
}

func TestResponseReadFrom(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	text := strings.Repeat("0123456789", 10_000)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	send := func(w http.ResponseWriter, r *http.Request) {
		keyK.Set(r.Context(), "v")
		f, err := os.Open(name)
		if err != nil {
			t.Error(err)
			return
		}
		defer f.Close()
		if n, err := io.Copy(w, f); n != int64(len(text)) || err != nil {
			t.Errorf("copied %d: %v", n, err)
		}
	}
	s := serveOver(t, send)
	a := s.must("GET")
	s.wantCookie(a)
	if a.body != text {
		t.Errorf("%d bytes arrived", len(a.body))
	}

	below := &readerFrom{ResponseWriter: httptest.NewRecorder()}
	s.m.Handler(http.HandlerFunc(send)).ServeHTTP(below, httptest.NewRequest("GET", "/", nil))
	if len(below.src) != 1 {
		t.Fatalf("%d calls of ReadFrom reached the writer below, expected 1", len(below.src))
	}
	if _, ok := below.src[0].(syscall.Conn); !ok {
		t.Errorf("it got a %T, expected one that sendfile takes", below.src[0])
	}

	serveFile := serveOver(t, func(w http.ResponseWriter, r *http.Request) {
		keyK.Set(r.Context(), "v")
		http.ServeFile(w, r, name)
	})
	a = serveFile.must("GET", header("Range", "bytes=10-19"))
	serveFile.wantCookie(a)
	if a.code != 206 || a.body != "0123456789" {
		t.Errorf("range: %d %q", a.code, a.body)
	}
}

func TestResponseController(t *testing.T) {
	s := serveOver(t, func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		keyK.Set(r.Context(), "v")
		if err := c.SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Error("SetWriteDeadline:", err)
		}
		if err := c.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Error("SetReadDeadline:", err)
		}
		if err := c.EnableFullDuplex(); err != nil {
			t.Error("EnableFullDuplex:", err)
		}
		io.WriteString(w, "first") // the body can still be read
		if _, err := io.ReadAll(r.Body); err != nil {
			t.Error(err)
		}
	})
	s.wantCookie(s.must("GET"))

	late := serveOver(t, func(w http.ResponseWriter, r *http.Request) {
		if err := http.NewResponseController(w).SetWriteDeadline(time.Unix(1, 0)); err != nil {
			t.Error(err)
		}
		io.WriteString(w, "never arrives")
	})
	if a, err := late.do("GET"); err == nil {
		t.Errorf("the deadline did not reach the connection: %+v", a)
	}
}

// An informational answer passes at once and commits nothing.
func TestResponseEarlyHints(t *testing.T) {
	var s *served
	s = serveOver(t, func(w http.ResponseWriter, r *http.Request) {
		keyK.Set(r.Context(), "v")
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusProcessing)
		if s.stored() != 0 {
			t.Error("stored by an informational answer")
		}
		if err := session(r.Context()).Login(r.Context(), "ada"); err != nil {
			t.Error("login after 103:", err)
		}
		w.WriteHeader(http.StatusTeapot)
	})
	var hints []int
	trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
		hints = append(hints, code)
		if code == 103 && h.Get("Link") == "" || h.Get("Set-Cookie") != "" {
			t.Errorf("%d: %v", code, h)
		}
		return nil
	}}
	a := s.must("GET", func(r *http.Request) { *r = *r.WithContext(httptrace.WithClientTrace(r.Context(), trace)) })
	s.wantCookie(a)
	if !slices.Equal(hints, []int{103, 102}) || a.code != http.StatusTeapot {
		t.Errorf("hints %v, then %d", hints, a.code)
	}
}

// 101 is the last head of its connection, so it carries the cookie.
func TestResponseSwitchingProtocols(t *testing.T) {
	s := serveOver(t, func(w http.ResponseWriter, r *http.Request) {
		keyK.Set(r.Context(), "v")
		w.Header().Set("Upgrade", "test")
		w.Header().Set("Connection", "Upgrade")
		w.WriteHeader(http.StatusSwitchingProtocols)
		conn, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		rw.WriteString("raw")
		rw.Flush()
		conn.Close()
	})
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n")
	in := bufio.NewReader(conn)
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.wantCookie(answer{header: res.Header})
	if raw, _ := io.ReadAll(in); res.StatusCode != 101 || string(raw) != "raw" {
		t.Errorf("%d %q", res.StatusCode, raw)
	}
}
