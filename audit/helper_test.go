package audit_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/audit"
)

func TestMain(m *testing.M) {
	before := runtime.NumGoroutine()
	code := m.Run()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	for wait := time.Now(); code == 0 && runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Since(wait) > 5*time.Second {
			stacks := make([]byte, 1<<20)
			fmt.Printf("goroutines remain after the tests:\n%s\n", stacks[:runtime.Stack(stacks, true)])
			code = 1
		}
	}
	os.Exit(code)
}

var at = time.Date(2026, 11, 3, 9, 8, 7, 123456789, time.FixedZone("CET", 3600))

func event(n int) sojourn.Event {
	return sojourn.Event{Kind: sojourn.EventCreated, ID: sojourn.ID(fmt.Sprint("id", n)), Owner: "ada", At: at}
}

// A sink is a writer with faults.
type sink struct {
	mu    sync.Mutex
	buf   bytes.Buffer
	calls int
	fault func(call int, b []byte) (int, error) // nil: none
}

func (s *sink) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if s.fault != nil {
		if n, err := s.fault(s.calls, b); err != nil {
			s.buf.Write(b[:n])
			return n, err
		}
	}
	return s.buf.Write(b)
}

func (s *sink) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

// records reads all lines; those that are no JSON count as torn.
func (s *sink) records(t *testing.T) (list []audit.Record, torn int) {
	t.Helper()
	for line := range strings.Lines(s.text()) {
		var r audit.Record
		if json.Unmarshal([]byte(line), &r) != nil {
			torn++
			continue
		}
		list = append(list, r)
	}
	return list, torn
}

func open(t *testing.T, w *sink, opt *audit.Options) *audit.Log {
	t.Helper()
	l, err := audit.Open(w, opt)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
