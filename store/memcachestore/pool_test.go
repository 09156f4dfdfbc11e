package memcachestore

import (
	"context"
	"errors"
	"net"
	"os"
	"strconv"
	"testing"
	"time"
)

// A call that has ended stays ended, although the library sets a new deadline
// before each exchange.
func TestEndedCallStaysEnded(t *testing.T) {
	client, server := net.Pipe()
	defer server.Close()
	s := &slot{conns: map[*conn]struct{}{}}
	ctx, cancel := context.WithCancel(t.Context())
	stop := s.begin(ctx)
	c, err := s.connect(ctx, func(context.Context, string, string) (net.Conn, error) { return client, nil }, "tcp", "")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	cancel()
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a read under way: error %v", err)
	}
	if err := c.SetDeadline(time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a read after that: error %v", err)
	}
	if stop() {
		t.Error("the slot may serve another call")
	}
}

func TestRecentIsBounded(t *testing.T) {
	r := newRecent[int]()
	for i := range 50_000 {
		r.put(strconv.Itoa(i), i)
	}
	n := 0
	for i := range r.shards {
		n += len(r.shards[i].m)
	}
	if n != recentPerShard*len(r.shards) {
		t.Errorf("%d are remembered, expected %d", n, recentPerShard*len(r.shards))
	}
	r.put("last", 1)
	if v, ok := r.take("last"); v != 1 || !ok {
		t.Errorf("the last is %d, %v", v, ok)
	}
	if _, ok := r.take("last"); ok {
		t.Error("it was taken twice")
	}
}
