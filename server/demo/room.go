package demo

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/live"
)

// A Room is where the visitors of the page meet: who is here, and what they say.
// It lives in the messages of the live connection alone and keeps the last lines
// in memory. Furnish the hub's options, make the hub, and Open it. Methods are
// safe for parallel use.
type Room struct {
	hub *live.Hub

	mu        sync.Mutex
	lines     []line
	telling   bool // who is here
	tellAgain bool
}

// A line is what somebody said.
type line struct {
	User string `json:"user,omitempty"` // one of catalog.go; "" for a visitor
	Text string `json:"text"`

	session sojourn.ID
	at      time.Time
}

// A guest is somebody who is here; User is "" for all whose name nobody knows.
type guest struct {
	User     string `json:"user,omitempty"`
	Sessions int    `json:"sessions"`
}

const (
	maxLines  = 30
	maxText   = 280 // characters
	topic     = "room"
	typeLine  = "app.line"
	typeHere  = "app.here"
	burst     = 5 // lines of one session
	burstTime = 5 * time.Second
)

// Furnish sets what the room needs of a hub.
func (r *Room) Furnish(o *live.Options) {
	o.OnMessage = r.hear
	o.Topics = func(context.Context, sojourn.Status) []string { return []string{topic} }
	o.OnPresence = func(live.Presence) { r.announce() }
}

// Open lets people in.
func (r *Room) Open(hub *live.Hub) { r.hub = hub }

// hear takes a message of a page: "app.join" is answered with what there is,
// "app.say" is passed on to everybody.
func (r *Room) hear(ctx context.Context, m live.Message) (any, error) {
	switch m.Type {
	case "app.join":
		here, err := r.here(ctx)
		if err != nil {
			return nil, err
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		return map[string]any{"lines": append([]line{}, r.lines...), "here": here}, nil
	case "app.say":
		var said line
		if err := json.Unmarshal(m.Data, &said); err != nil {
			return nil, live.ErrRejected
		}
		said.Text = strings.TrimSpace(said.Text)
		if said.Text == "" || utf8.RuneCountInString(said.Text) > maxText {
			return nil, live.ErrRejected
		}
		said.User, said.session, said.at = m.Owner, m.Session, time.Now()
		if !r.keep(said) {
			return nil, live.ErrRejected
		}
		return nil, r.hub.Publish(ctx, live.ToTopic(topic), typeLine, said)
	}
	return nil, live.ErrRejected
}

// keep remembers a line, unless its session says too much.
func (r *Room) keep(said line) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	lately := 0
	for _, l := range r.lines {
		if l.session == said.session && said.at.Sub(l.at) < burstTime {
			lately++
		}
	}
	if lately >= burst {
		return false
	}
	r.lines = append(r.lines, said)
	r.lines = r.lines[max(0, len(r.lines)-maxLines):]
	return true
}

// here counts who is connected, on any node.
func (r *Room) here(ctx context.Context) ([]guest, error) {
	all, err := r.hub.Present(ctx, live.ToTopic(topic))
	if err != nil {
		return nil, err
	}
	guests, unknown := []guest{}, len(all)
	for _, u := range users {
		sessions, err := r.hub.Present(ctx, live.ToOwner(u.ID))
		if err != nil {
			return nil, err
		}
		if len(sessions) > 0 {
			guests = append(guests, guest{u.ID, len(sessions)})
			unknown -= len(sessions)
		}
	}
	if unknown > 0 {
		guests = append(guests, guest{Sessions: unknown})
	}
	return guests, nil
}

// announce tells everybody who is here, and does not wait. News that come
// meanwhile are told together.
func (r *Room) announce() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tellAgain = r.telling; r.telling {
		return
	}
	r.telling = true
	go func() {
		for again := true; again; {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			if here, err := r.here(ctx); err == nil { // else the next one who comes is told
				_ = r.hub.Publish(ctx, live.ToTopic(topic), typeHere, here)
			}
			cancel()
			r.mu.Lock()
			again, r.tellAgain = r.tellAgain, false
			r.telling = again
			r.mu.Unlock()
		}
	}()
}
