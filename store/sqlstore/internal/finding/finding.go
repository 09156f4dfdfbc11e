// Package finding words what stores report to sojourn doctor.
package finding

import "fmt"

// An advice is a finding that does not keep the store from working.
type advice struct{ error }

// Warning tells it from a problem.
func (advice) Warning() bool { return true }

// Advise makes an advice: what is wrong, and what to do.
func Advise(format string, args ...any) error { return advice{fmt.Errorf(format, args...)} }

// Size writes a number of bytes as people do.
func Size(n int64) string {
	for _, unit := range []struct {
		bytes int64
		name  string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if n >= unit.bytes {
			return fmt.Sprintf("%.1f %s", float64(n)/float64(unit.bytes), unit.name)
		}
	}
	return fmt.Sprintf("%d bytes", n)
}
