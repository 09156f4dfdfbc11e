//go:build !(linux || darwin)

package sqlstore

// diskSpace is not known here.
func diskSpace(string) (free, total int64, ok bool) { return 0, 0, false }
