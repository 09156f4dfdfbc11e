package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/live"
)

func newRoom(t *testing.T) *Room {
	t.Helper()
	r := &Room{}
	var o live.Options
	r.Furnish(&o)
	hub, err := live.New(&o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { hub.Drain(context.Background()) })
	r.Open(hub)
	return r
}

func say(r *Room, session, owner, text string) error {
	data, _ := json.Marshal(map[string]string{"text": text, "user": "somebody else"})
	_, err := r.hear(context.Background(), live.Message{Session: sojourn.ID(session), Owner: owner, Type: "app.say", Data: data})
	return err
}

// Whoever joins is told what was said last, by whom the server knows it was.
func TestRoomRemembers(t *testing.T) {
	r := newRoom(t)
	for i := range maxLines + 5 {
		if err := say(r, fmt.Sprint("session", i), "ada", fmt.Sprintf(" line %d ", i)); err != nil {
			t.Fatal(err)
		}
	}
	reply, err := r.hear(context.Background(), live.Message{Type: "app.join"})
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := json.Marshal(reply)
	var told struct {
		Lines []map[string]string
		Here  []guest
	}
	if err := json.Unmarshal(raw, &told); err != nil || len(told.Lines) != maxLines || len(told.Here) != 0 {
		t.Fatalf("%v: %d lines, %v", err, len(told.Lines), told.Here)
	}
	if first := told.Lines[0]; len(first) != 2 || first["text"] != "line 5" || first["user"] != "ada" {
		t.Errorf("first line %v, want the text and the user and nothing of the session", first)
	}
}

func TestRoomRefuses(t *testing.T) {
	r := newRoom(t)
	for _, text := range []string{"", "  \n ", strings.Repeat("ä", maxText+1)} {
		if err := say(r, "s", "ada", text); !errors.Is(err, live.ErrRejected) {
			t.Errorf("%.10q: %v, want a refusal", text, err)
		}
	}
	if err := say(r, "s", "ada", strings.Repeat("ä", maxText)); err != nil {
		t.Error(err)
	}
	for _, m := range []live.Message{{Type: "app.shout"}, {Type: "app.say", Data: json.RawMessage(`[1]`)}, {Type: "app.say"}} {
		if _, err := r.hear(context.Background(), m); !errors.Is(err, live.ErrRejected) {
			t.Errorf("%s %s: %v, want a refusal", m.Type, m.Data, err)
		}
	}
	for i := range burst {
		err := say(r, "s", "ada", "hurry")
		if refused := errors.Is(err, live.ErrRejected); refused != (i == burst-1) {
			t.Errorf("line %d in a hurry: %v", i+2, err)
		}
	}
	if err := say(r, "another", "ada", "calm"); err != nil {
		t.Errorf("another session: %v", err)
	}
}
