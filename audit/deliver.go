package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// A message is the body of a webhook, in the form that Standard Webhooks proposes.
type message struct {
	Type      string  `json:"type"` // "session.created", …, "audit.dropped"
	Timestamp string  `json:"timestamp"`
	Data      *Record `json:"data"`
}

func (w *Webhook) run() {
	for r := range w.queue.ch {
		if !w.deliver(&r) {
			w.queue.lose(1)
			continue
		}
		w.queue.done.Add(1)
		w.tell()
	}
	w.tell()
}

// tell reports what was lost.
func (w *Webhook) tell() {
	if w.ctx.Err() != nil {
		return
	}
	if report, lost := w.queue.report(&w.opt.Options); lost && !w.deliver(&report) {
		w.queue.untold.Add(report.Count)
	}
}

// deliver posts a record until it is accepted or given up.
func (w *Webhook) deliver(r *Record) bool {
	m := message{"session." + r.Event, r.Time, r}
	if r.Event == eventDropped {
		m.Type = "audit." + r.Event
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.Encode(m) // of texts and numbers: it cannot fail
	body := bytes.TrimRight(b.Bytes(), "\n")
	id := fmt.Sprintf("msg_%s_%d", r.Stream, r.Seq) // the same in each attempt
	wait := w.opt.Backoff
	for attempt := 1; ; attempt++ {
		if w.ctx.Err() != nil {
			return false
		}
		asked, again, err := w.post(id, body)
		if err == nil {
			if w.down.CompareAndSwap(true, false) {
				w.opt.Logger.Warn("the audit webhook accepts records again", "host", w.host, "dropped", w.queue.dropped.Load())
			}
			return true
		}
		if w.down.CompareAndSwap(false, true) {
			w.opt.Logger.Warn("the audit webhook does not accept records", "host", w.host, "error", err)
		}
		if !again || attempt >= w.opt.Attempts {
			w.opt.Logger.Error("an audit record was given up", "host", w.host, "id", id, "attempts", attempt, "error", err)
			return false
		}
		pause := time.NewTimer(max(min(asked, w.opt.MaxBackoff), wait/2+rand.N(wait/2+1)))
		select {
		case <-pause.C:
		case <-w.ctx.Done():
			pause.Stop()
			return false
		}
		wait = min(2*wait, w.opt.MaxBackoff)
	}
}

// post makes one attempt. again tells whether another may do better, and asked how
// long the receiver wants it to wait.
func (w *Webhook) post(id string, body []byte) (asked time.Duration, again bool, err error) {
	req, err := http.NewRequestWithContext(w.ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return 0, false, errors.New("malformed URL")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Sojourn")
	w.secret.sign(req.Header, id, w.opt.Clock(), body)
	resp, err := w.client.Do(req)
	if err != nil {
		if u := (*url.Error)(nil); errors.As(err, &u) {
			err = u.Err // without the URL, which may be secret
		}
		return 0, true, err
	}
	io.CopyN(io.Discard, resp.Body, 64<<10) // so that the connection can be used again
	resp.Body.Close()
	switch code := resp.StatusCode; {
	case code >= 200 && code < 300:
		return 0, false, nil
	case code >= 500, code == http.StatusRequestTimeout, code == http.StatusTooEarly, code == http.StatusTooManyRequests:
		seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
		return time.Duration(min(max(seconds, 0), 86400)) * time.Second, true, fmt.Errorf("it answered %d", code)
	case code >= 300 && code < 400:
		return 0, false, fmt.Errorf("it answered %d: redirects are not followed", code)
	default:
		return 0, false, fmt.Errorf("it answered %d", code)
	}
}
