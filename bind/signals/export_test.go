package signals

// Remembered counts the sessions whose trail is kept.
func (w *Watch) Remembered() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.left)
}
