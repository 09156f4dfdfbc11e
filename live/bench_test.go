package live_test

import (
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/live"
)

// One event to 1,000 sockets, until all of them have it. The floor is the same
// bytes written to as many bare connections, one after the other: what the
// system calls cost.
func BenchmarkFanOut(b *testing.B) {
	const n = 1000
	data := strings.Repeat("x", 100)
	b.Run("sojourn", func(b *testing.B) {
		s := newSite(b, settings{hub: live.Options{MaxPerSession: n}})
		p := s.login("ada")
		var got atomic.Int64
		for range n {
			conn, in := p.dialRaw()
			defer conn.Close()
			go count(in, &got)
		}
		for s.hub.Connections() < n {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(100 * time.Millisecond) // the hellos
		before := got.Load()
		s.hub.Publish(b.Context(), live.ToOwner("ada"), "app.n", data)
		time.Sleep(200 * time.Millisecond)
		each := got.Load() - before
		for b.Loop() {
			want := got.Load() + each
			s.hub.Publish(b.Context(), live.ToOwner("ada"), "app.n", data)
			for got.Load() < want-1000*8 { // ids grow by a digit now and then
				time.Sleep(20 * time.Microsecond)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/n, "µs/socket")
	})
	b.Run("floor", func(b *testing.B) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		defer l.Close()
		var got atomic.Int64
		conns := make([]net.Conn, n)
		for i := range conns {
			client, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				b.Fatal(err)
			}
			defer client.Close()
			go count(client, &got)
			if conns[i], err = l.Accept(); err != nil {
				b.Fatal(err)
			}
			defer conns[i].Close()
		}
		frame := []byte(strings.Repeat("x", 160))
		for b.Loop() {
			want := got.Load() + int64(n*len(frame))
			for _, conn := range conns {
				conn.Write(frame)
			}
			for got.Load() < want {
				time.Sleep(20 * time.Microsecond)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/n, "µs/socket")
	})
}

func count(r io.Reader, got *atomic.Int64) {
	b := make([]byte, 4<<10)
	for {
		n, err := r.Read(b)
		if got.Add(int64(n)); err != nil {
			return
		}
	}
}

// From Publish to the page that receives it, one at a time.
func BenchmarkPublishToReceive(b *testing.B) {
	for _, transport := range transports {
		b.Run(transport, func(b *testing.B) {
			s := newSite(b, settings{})
			p := s.login("ada")
			l := p.mustConnect(transport, p.cursor())
			var took []time.Duration
			for b.Loop() {
				at := time.Now()
				s.hub.Publish(b.Context(), live.ToSession(p.id), "app.n", 1)
				l.want(b, "app.n")
				took = append(took, time.Since(at))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
			l.drop()
		})
	}
}

// What a session that no page follows pays for the hub.
func BenchmarkObserveUnfollowed(b *testing.B) {
	s := newSite(b, settings{})
	e := sojourn.Event{Kind: sojourn.EventChanged, ID: s.login("ada").id, Keys: []string{"cart"}}
	b.ReportAllocs()
	for b.Loop() {
		s.hub.Observe(b.Context(), e)
	}
}
