package sojourn_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn"
)

// An answer of ours in place of the handler's has none of its headers that
// describe a body which is not sent.
func TestAnswerReplacesTheHandlers(t *testing.T) {
	for _, c := range []struct {
		name, op string
		code     int
	}{
		{"unavailable while reading", "load", 503},
		{"unavailable while committing", "update", 503},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, nil)
			_, token := s.begun()
			s.store.fault = func(op string) (error, error) {
				if op == c.op {
					return errors.New("refused"), nil
				}
				return nil, nil
			}
			s.mux.HandleFunc("/page", func(w http.ResponseWriter, r *http.Request) {
				h := w.Header()
				for _, name := range []string{"Content-Encoding", "Content-Disposition", "Etag", "Last-Modified", "Location"} {
					h.Set(name, "x")
				}
				h.Set("Content-Length", "6")
				h.Set("Content-Type", "image/png")
				h.Set("Cache-Control", "public")
				h.Set("X-Request-Id", "7")
				keyK.Set(r.Context(), "w") // its error may be ignored
				w.WriteHeader(201)
				if n, err := io.WriteString(w, "secret"); n != 6 || err != nil {
					t.Errorf("write: %d %v", n, err)
				}
				if n, err := io.Copy(w, strings.NewReader("secret")); n != 6 || err != nil {
					t.Errorf("copy: %d %v", n, err)
				}
				w.(http.Flusher).Flush()
				if _, _, err := w.(http.Hijacker).Hijack(); err == nil {
					t.Error("Hijack of an answer that was replaced")
				}
			})
			a := s.exchange("GET", "/page", cookies("__Host-sojourn="+token))
			if a.code != c.code || a.body != http.StatusText(c.code) {
				t.Errorf("%d %q", a.code, a.body)
			}
			for name, want := range map[string]string{
				"Content-Encoding": "", "Content-Disposition": "", "Etag": "", "Last-Modified": "", "Location": "", "Content-Length": "", "Set-Cookie": "",
				"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store", "Retry-After": "2", "X-Request-Id": "7",
			} {
				if got := a.header.Get(name); got != want {
					t.Errorf("%s: %q, expected %q", name, got, want)
				}
			}
		})
	}
}

// The application may answer in its own words, with everything prepared.
func TestAnswerOfTheApplication(t *testing.T) {
	s := newSite(t, &sojourn.Options{ErrorHandler: func(w http.ResponseWriter, r *http.Request, status int, err error) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"status":%d,"path":%q,"retry":%q,"unavailable":%v}`, status, r.URL.Path, w.Header().Get("Retry-After"), errors.Is(err, sojourn.ErrUnavailable))
	}})
	_, token := s.begun()
	s.store.fault = func(string) (error, error) { return errors.New("refused"), nil }
	a := s.exchange("GET", "/get/k", cookies("__Host-sojourn="+token))
	if want := `{"status":503,"path":"/get/k","retry":"2","unavailable":true}`; a.code != 503 || a.body != want {
		t.Errorf("%d %s", a.code, a.body)
	}
}

// The server removes the files of a form when its request ends. The handler's
// request is a copy of the server's: what it parsed must find its way back.
func TestAnswerLeavesNoFormFiles(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	ended := make(chan struct{})
	s := serveOver(t, func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		if err := r.ParseMultipartForm(1); err != nil {
			t.Error(err)
		}
		if files, _ := os.ReadDir(dir); len(files) != 1 {
			t.Errorf("%d files while the handler runs, expected 1", len(files))
		}
	})
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", "name")
	if err != nil {
		t.Fatal(err)
	}
	part.Write(make([]byte, 1<<20))
	form.Close()
	s.must("POST", header("Content-Type", form.FormDataContentType()), func(r *http.Request) {
		r.Body, r.ContentLength = io.NopCloser(&body), int64(body.Len())
	})
	<-ended
	s.shut()
	if files, _ := os.ReadDir(dir); len(files) != 0 {
		t.Errorf("%d files are left", len(files))
	}
}
