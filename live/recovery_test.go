package live_test

import (
	"context"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sojournhq/sojourn/live"
	"github.com/sojournhq/sojourn/store/memstore"
)

var rounds = flag.Int("live.rounds", 1, "how long the model of recovery runs, in units of a second or so")

// A reader is the model of a page: it remembers the cursor of the last message
// it has handled, comes and goes, and counts what it was given.
type reader struct {
	cursor            string
	seq               int // the newest message it knows to have or to have missed
	got, told, missed int
}

// P12: however publishing, trimming, dropping and reconnecting fall together, a
// page on any transport gets every message once and in order, or is told that
// some are lost.
func TestP12NoSilentGap(t *testing.T) {
	s := newSite(t, settings{hub: live.Options{Retention: live.Retention{Events: 100}}})
	for round := range *rounds {
		recover12(t, round, []*site{s}, 3000, 1, nil)
	}
}

// P12: also if each connection may reach another one of three nodes, all of
// which publish, and one of them dies in between.
func TestP12NoSilentGapAcrossNodes(t *testing.T) {
	for round := range *rounds {
		keep := live.Retention{Events: 100}
		plane, store := live.InProcess(keep), memstore.New(nil)
		var nodes []*site
		for range 3 {
			nodes = append(nodes, newSite(t, settings{store: store, hub: live.Options{Backplane: plane, Retention: keep}}))
		}
		recover12(t, round, nodes, 3000, 1, func() {
			dead, cancel := context.WithCancel(t.Context())
			cancel()
			nodes[2].hub.Drain(dead)
		})
	}
}

// recover12 publishes total messages, up to burst at once, to one session, whose
// readers come and go at all nodes; die is called halfway and leaves the last
// node dead.
func recover12(t *testing.T, round int, nodes []*site, total, burst int, die func()) {
	p := nodes[0].login("ada")
	if testing.Short() {
		total = min(total, 500)
	}
	start := p.cursor()
	var published, readers sync.WaitGroup
	var all [9]reader
	over := make(chan struct{})
	for i := range all {
		r := &all[i]
		r.cursor = start
		rnd := rand.New(rand.NewPCG(uint64(round), uint64(i)))
		readers.Go(func() {
			for r.seq < total {
				toEnd := false
				select {
				case <-over:
					toEnd = true
				default:
				}
				transport := transports[(i+rnd.IntN(2)*rnd.IntN(3))%3] // sometimes another one
				at := &page{site: nodes[rnd.IntN(len(nodes))], cookie: p.cookie, id: p.id}
				l, refused := at.connect(transport, r.cursor)
				if l == nil {
					if refused == -1 { // the node is dead
						time.Sleep(time.Millisecond)
					}
					if refused != 4008 && (die == nil || refused != 503 && refused != 1012 && refused != 4010 && refused != -1) { // overtaken while it connected, or the node is dead
						t.Errorf("%s: refused with %d", transport, refused)
						return
					}
					continue
				}
				r.follow(t, l, transport, rnd, toEnd, total)
				l.drop()
				if rnd.IntN(3) == 0 {
					time.Sleep(time.Duration(rnd.IntN(60)) * time.Millisecond)
				}
			}
		})
	}
	published.Go(func() {
		rnd := rand.New(rand.NewPCG(uint64(round), 99))
		alive := len(nodes)
		for n := 1; n <= total; {
			if die != nil && n > total/2 && alive == len(nodes) {
				die()
				alive--
			}
			end := min(n+1+rnd.IntN(burst), total+1)
			(&page{site: nodes[rnd.IntN(alive)]}).publish(p.id, n, end)
			if n = end; rnd.IntN(5) == 0 {
				time.Sleep(time.Duration(rnd.IntN(4)) * time.Millisecond)
			}
		}
	})
	published.Wait()
	close(over)
	readers.Wait()
	got, told, missed := 0, 0, 0
	for i := range all {
		if all[i].seq != total {
			t.Errorf("reader %d ended at %d of %d", i, all[i].seq, total)
		}
		got, told, missed = got+all[i].got, told+all[i].told, missed+all[i].missed
	}
	if got+missed != len(all)*total {
		t.Errorf("%d received and %d lost of %d", got, missed, len(all)*total)
	}
	t.Logf("%d received, %d lost, told of it %d times", got, missed, told)
	if told == 0 && !testing.Short() {
		t.Error("nothing was ever lost: this proves little")
	}
}

// follow reads for a while, or to the end of what was published.
func (r *reader) follow(t *testing.T, l *link, transport string, rnd *rand.Rand, toEnd bool, total int) {
	skipped := !l.hello.Recovered
	if skipped {
		r.told++
		r.cursor = l.hello.Cursor
		at, ok := live.ParsePosition(r.cursor)
		if !ok || int(at.Offset) < r.seq {
			t.Errorf("%s: after a loss the cursor is %q, behind %d", transport, r.cursor, r.seq)
			return
		}
		r.missed += int(at.Offset) - r.seq
		r.seq = int(at.Offset)
	} else if l.hello.Cursor != r.cursor {
		t.Errorf("%s: recovered from %q, not %q", transport, l.hello.Cursor, r.cursor)
	}
	stop := time.NewTimer(time.Duration(rnd.IntN(40)) * time.Millisecond)
	defer stop.Stop()
	if toEnd {
		stop.Reset(20 * time.Second)
	}
	for !toEnd || r.seq < total {
		select {
		case m, ok := <-l.frames:
			if !ok {
				return
			}
			if m.Type != "app.n" {
				continue
			}
			var n int
			json.Unmarshal(m.Data, &n)
			if n != r.seq+1 {
				t.Errorf("%s: message %d after %d (recovered %v)", transport, n, r.seq, !skipped)
			}
			if at, ok := live.ParsePosition(m.ID); !ok || int(at.Offset) != n {
				t.Errorf("%s: message %d has id %q", transport, n, m.ID)
			}
			r.seq, r.cursor = n, m.ID
			r.got++
		case <-stop.C:
			if toEnd {
				t.Errorf("%s: stuck at %d of %d", transport, r.seq, total)
			}
			return
		}
	}
}

// A cursor of another log, of the future, or of no form at all is answered with
// recovered:false on every transport, never with a part of the log.
func TestP12UnknownCursorIsTold(t *testing.T) {
	s := newSite(t, settings{})
	p := s.login("ada")
	own := p.cursor()
	for range 3 {
		if err := s.hub.Publish(t.Context(), live.ToSession(p.id), "app.n", 1); err != nil {
			t.Fatal(err)
		}
	}
	epoch, _, _ := strings.Cut(own, ".")
	for _, transport := range transports {
		for _, cursor := range []string{"", "AAAAAAAA.0", "AAAAAAAA.2", epoch + ".4", epoch + ".99999999999999999999", epoch, epoch + ".01", epoch + ".-1", "%00", strings.Repeat("x", 5000) + ".1"} {
			l := p.mustConnect(transport, cursor)
			if l.hello.Recovered || l.hello.Cursor != epoch+".3" || !strings.Contains(string(l.hello.Status), `"state":"active"`) {
				t.Errorf("%s with %.40q: %v, %s, %s", transport, cursor, l.hello.Recovered, l.hello.Cursor, l.hello.Status)
			}
			if len(l.frames) > 0 {
				t.Errorf("%s with %.40q: a part of the log was sent", transport, cursor)
			}
			l.drop()
		}
		l := p.mustConnect(transport, own)
		for range 3 {
			l.want(t, "app.n")
		}
		l.drop()
	}
}

// A log that nobody used for its retention is gone, and so is what was published
// meanwhile; its old cursor says so.
func TestP12ForgottenLogIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, settings{pipes: true})
		p := s.login("ada")
		l := p.mustConnect("sse", "")
		s.hub.Publish(t.Context(), live.ToSession(p.id), "app.n", 1)
		cursor := l.want(t, "app.n").ID
		l.drop()
		time.Sleep(4 * time.Minute)
		s.hub.Publish(t.Context(), live.ToSession(p.id), "app.n", 2)
		l = p.mustConnect("ws", cursor)
		if !l.hello.Recovered || string(l.want(t, "app.n").Data) != "2" {
			t.Error("not recovered after four minutes")
		}
		l.drop()
		time.Sleep(7 * time.Minute)
		s.hub.Publish(t.Context(), live.ToSession(p.id), "app.n", 3)
		l = p.mustConnect("poll", cursor)
		if l.hello.Recovered {
			t.Error("recovered from a log that is gone")
		}
		l.drop()
	})
}
