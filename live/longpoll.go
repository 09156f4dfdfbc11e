package live

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/sojournhq/sojourn"
)

// pollBody is the answer to a poll, also an empty one: it carries the cursor of
// the next poll, which is the acknowledgement of this one.
type pollBody struct {
	Recovered bool              `json:"recovered"`
	Cursor    string            `json:"cursor"`
	Events    []json.RawMessage `json:"events"`
	Status    json.RawMessage   `json:"status,omitempty"`   // where nothing could be recovered
	After     int64             `json:"after_ms,omitempty"` // wait before the next poll: this server is about to stop
}

// Poll answers GET /poll: at once if there are events after the cursor, else
// with the next one, or with none after wait seconds (25 at most, the default).
func (h *Hub) Poll(w http.ResponseWriter, r *http.Request) error {
	if err := crossSite(r); err != nil {
		return err
	}
	wait := pollWait(r)
	signal := make(chan struct{}, 1)
	c, st, page, err := h.admit(r, signal)
	if err != nil {
		return err
	}
	defer c.drop()
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(wait + writeWithin))
	body := pollBody{Recovered: page.Recovered}
	if !page.Recovered {
		body.Status = h.face.Status(st)
		wait = 0
	} else if len(page.Events) > 0 {
		wait = 0
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	var events []Event
	end := (*closing)(nil)
wait:
	for wait > 0 {
		if events, end = c.polled(); events != nil || end != nil {
			break
		}
		select {
		case <-signal:
		case <-timer.C:
			break wait
		case <-r.Context().Done():
			return nil // nobody listens
		}
	}
	if page.Recovered {
		events = append(page.Events, events...)
	}
	position, _ := ParsePosition(cursorOf(r))
	if !page.Recovered {
		position = page.Position
	}
	now := time.Now()
	body.Events = make([]json.RawMessage, 0, len(events))
	for i := range events {
		body.Events = append(body.Events, events[i].encode(position.Epoch, now))
		position.Offset = events[i].Offset
	}
	body.Cursor = position.String()
	if end != nil && len(events) == 0 && end.code >= 4000 && end.code != codeSlow && end.code != codePosition {
		return &Ended{sojourn.StateEnded, sojourn.Reason(end.reason)}
	}
	body.After = c.after.Milliseconds()
	return writePoll(w, body)
}

// polled returns what has come since, and why to stop waiting. Where events were
// lost it returns none: the next poll is told.
func (c *conn) polled() ([]Event, *closing) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	events, ok := c.pending()
	if !ok {
		return nil, &closing{code: codePosition}
	}
	return append([]Event(nil), events...), c.closing
}

func pollWait(r *http.Request) time.Duration {
	q, _ := url.ParseQuery(r.URL.RawQuery)
	seconds, err := strconv.Atoi(q.Get("wait"))
	if err != nil || seconds < 0 || seconds > int(maxWait/time.Second) {
		return maxWait
	}
	return time.Duration(seconds) * time.Second
}

func writePoll(w http.ResponseWriter, body pollBody) error {
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(body); err != nil {
		return fmt.Errorf("live: poll: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(b.Bytes())
	return nil
}
