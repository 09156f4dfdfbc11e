package redisplane

import (
	"log/slog"
	"testing"

	"github.com/redis/rueidis"
	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/live"
)

type listener struct{ got []live.Event }

func (l *listener) Deliver(_ string, e live.Event) { l.got = append(l.got, e) }
func (l *listener) Moved(live.Position)            {}

// What is not a message of ours reaches nobody and harms nothing.
func FuzzReceive(f *testing.F) {
	for _, text := range []string{`AAAAAAAA.1:{"t":"app.n","d":1,"a":"2026-01-01T00:00:00Z"}`, "", ":", "AAAAAAAA.0:{}", "AAAAAAAA.1:", "A.1:[]", `A.18446744073709551615:{"t":"x"}`, "A.-1:{}"} {
		f.Add("sojourn:lc:0:id", text)
	}
	f.Add("sojourn:lp:node", "x")
	f.Fuzz(func(t *testing.T, channel, text string) {
		to := &listener{}
		p := &Plane{opt: Options{Prefix: "sojourn:", Logger: slog.New(slog.DiscardHandler)}, node: "node", channels: channelPrefix("sojourn:", 0)}
		fol := &follower{p: p, id: "id", to: to, at: live.Position{Epoch: "AAAAAAAA"}, busy: true}
		p.watches = map[sojourn.ID]*watch{"id": {followers: []*follower{fol}}}
		p.receive(rueidis.PubSubMessage{Channel: channel, Message: text})
		fol.mu.Lock()
		defer fol.mu.Unlock()
		fol.goOn()
		for _, e := range to.got {
			if e.Offset == 0 || channel != "sojourn:lc:0:id" {
				t.Errorf("%q on %q was delivered as %+v", text, channel, e)
			}
		}
	})
}
