package pgplane

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/live"
)

// What is not a notification of ours marks nothing, and one of a session that is
// not followed neither.
func FuzzNotified(f *testing.F) {
	for _, text := range []string{"6964 AAAAAAAA 1", "6964 AAAAAAAA 0", "6964 BBBBBBBB 0", "", " ", "  ", "6964 AAAAAAAA -1", "69 AAAAAAAA 1", "xx A 1", "probe node x", "probe other x"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p := &Plane{opt: Options{Logger: slog.New(slog.DiscardHandler)}, node: "node", dirty: map[sojourn.ID]struct{}{}, news: make(chan struct{}, 1)}
		fol := &follower{p: p, id: "id", at: live.Position{Epoch: "AAAAAAAA"}}
		p.watches = map[sojourn.ID]*watch{"id": {followers: []*follower{fol}}}
		own := make(chan string, 1)
		p.notified(text, own)
		for id := range p.dirty {
			if id != "id" || !strings.HasPrefix(text, "6964 ") {
				t.Errorf("%q marks %q", text, id)
			}
		}
		if len(own) > 0 && !strings.HasPrefix(text, "probe node ") {
			t.Errorf("%q is taken for an own probe", text)
		}
	})
}
