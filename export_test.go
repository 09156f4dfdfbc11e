package sojourn

import (
	"net/netip"
	"sync"
	"sync/atomic"
)

// SourcesKept counts the sources of which m counts the sessions they begin.
func SourcesKept(m *Manager) int {
	m.creations.mu.Lock()
	defer m.creations.mu.Unlock()
	return len(m.creations.until)
}

// NewToken draws a token as a new session of nobody gets one.
func NewToken(m *Manager) Token { return m.newToken("") }

// FloodSources has as many sources begin a session each, and counts refusals.
func FloodSources(m *Manager, n int) (refused int) {
	for i := range n {
		if m.creations.take(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), m.now()) > 0 {
			refused++
		}
	}
	return refused
}

// BeginAtOnce has one source begin n sessions at once, and counts refusals.
func BeginAtOnce(m *Manager, source netip.Addr, n int) int {
	var refused atomic.Int64
	var group sync.WaitGroup
	start := make(chan struct{})
	for range n {
		group.Go(func() {
			if <-start; m.creations.take(source, m.now()) > 0 {
				refused.Add(1)
			}
		})
	}
	close(start)
	group.Wait()
	return int(refused.Load())
}
