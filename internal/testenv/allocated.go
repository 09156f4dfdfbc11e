package testenv

import "runtime"

// Allocated is how many bytes f allocates on the heap, all its garbage included,
// and what other goroutines allocate meanwhile. Decoders are held to a multiple of
// their input by it, so that a short record cannot ask for much.
func Allocated(f func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc)
}
