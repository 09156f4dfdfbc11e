package flaskformat

// Bounds of every record, read or written.
const (
	MaxSize  = 4 << 20 // bytes, also of what a compressed cookie holds
	MaxDepth = 512     // levels of lists and dicts; Python stops at about 1000
)
