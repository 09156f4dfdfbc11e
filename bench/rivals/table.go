package rivals

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
)

// Write prints rows as a Markdown table. Do not read too much into "× bare": the
// bare handler writes two bytes to nobody. Behind a server a request costs some
// 10 µs before any session.
func Write(w io.Writer, rows []Row) error {
	var b strings.Builder
	b.WriteString("| Request | Library | ns over bare | bytes | allocs | × bare | × Sojourn |\n|---|---|---:|---:|---:|---:|---:|\n")
	last := ""
	for _, r := range rows {
		scenario := r.Scenario
		if scenario == last {
			scenario = ""
		}
		last = r.Scenario
		fmt.Fprintf(&b, "| %s | %s | %d | %.0f | %.0f | %.1f | %.1f |\n", scenario, r.Library, r.Over.Nanoseconds(), r.Bytes, r.Allocs, r.Bare, r.First)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Versions tells what was measured, and by which Go.
func Versions() string {
	parts := []string{fmt.Sprintf("%s %s/%s, %d CPUs", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0))}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, l := range Libraries {
			for _, d := range info.Deps {
				if d.Path == l.Module {
					parts = append(parts, strings.TrimPrefix(d.Path, "github.com/")+" "+d.Version)
				}
			}
		}
	}
	return strings.Join(parts, "; ")
}
