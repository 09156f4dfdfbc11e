package audit_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sojournhq/sojourn/audit"
)

// answers is a transport that answers without a network, and notes when.
type answers struct {
	mu     sync.Mutex
	times  []time.Time
	codes  []int
	after  string
	bodies []string
}

func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.times = append(a.times, time.Now())
	body, _ := io.ReadAll(r.Body)
	a.bodies = append(a.bodies, string(body))
	code := a.codes[min(len(a.times), len(a.codes))-1]
	if code == 0 {
		return nil, errors.New("no route to host")
	}
	return &http.Response{StatusCode: code, Header: http.Header{"Retry-After": {a.after}}, Body: http.NoBody, Request: r}, nil
}

func TestWebhookBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &answers{codes: []int{0, 500}}
		w, err := audit.OpenWebhook("https://audit.example.com", secret(t), &audit.WebhookOptions{Transport: a, Parallel: 1, Attempts: 6,
			Backoff: time.Second, MaxBackoff: 4 * time.Second, Options: audit.Options{CloseTimeout: time.Hour}})
		if err != nil {
			t.Fatal(err)
		}
		w.Observe(t.Context(), event(1))
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(a.times) != 6 || w.Stats().Dropped != 1 {
			t.Fatalf("%d attempts, %+v", len(a.times), w.Stats())
		}
		for i, full := range []time.Duration{1, 2, 4, 4, 4} {
			wait := a.times[i+1].Sub(a.times[i])
			if full *= time.Second; wait < full/2 || wait > full+time.Millisecond {
				t.Errorf("wait %d is %v, expected %v to %v", i+1, wait, full/2, full)
			}
		}
		a.after, a.times, a.codes = "3", nil, []int{503} // what the receiver asks for, within bounds
		w.Observe(t.Context(), event(2))
		time.Sleep(time.Minute)
		synctest.Wait()
		if wait := a.times[1].Sub(a.times[0]); wait != 3*time.Second {
			t.Errorf("Retry-After: 3 made it wait %v", wait)
		}
		a.mu.Lock()
		a.codes = []int{204}
		a.mu.Unlock()
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
}

// What was given up is told with the next success, not at the end; and the URL,
// which may hold a secret, is in no text.
func TestWebhookTellsDropsWhenItCan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		a := &answers{codes: []int{0, 200}}
		w, err := audit.OpenWebhook("https://audit.example.com/?key=hidden", secret(t), &audit.WebhookOptions{Transport: a, Parallel: 1, Attempts: 1,
			Options: audit.Options{Logger: slog.New(slog.NewTextHandler(&said, nil))}})
		if err != nil {
			t.Fatal(err)
		}
		w.Observe(t.Context(), event(1))
		w.Observe(t.Context(), event(2))
		synctest.Wait()
		if len(a.bodies) != 3 || !strings.Contains(a.bodies[2], `"type":"audit.dropped"`) || !strings.Contains(a.bodies[2], `"count":1`) {
			t.Errorf("posted before the end: %q", a.bodies)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if !strings.Contains(said.String(), "no route") || strings.Contains(said.String(), "hidden") {
			t.Errorf("the operator reads %s", said.String())
		}
	})
}
