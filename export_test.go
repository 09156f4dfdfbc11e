package sojourn

// SourcesKept counts the sources of which m counts the sessions they begin.
func SourcesKept(m *Manager) int {
	m.creations.mu.Lock()
	defer m.creations.mu.Unlock()
	return len(m.creations.until)
}

// NewToken draws a token as a new session of nobody gets one.
func NewToken(m *Manager) Token { return m.newToken("") }
