// Command live measures live connections, as Markdown:
//
//	go run -C bench ./cmd/live                              # everything but the crowd, a minute or so
//	go run -C bench ./cmd/live -only crowd                  # 6 processes with 15,000 connections each
//	go run -C bench ./cmd/live -write ../docs/live.md       # into the page, between its two marks
//
// Servers are processes of their own. It needs as many file descriptors as there
// are connections to one process, and redis-server and PostgreSQL.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"runtime"
	"strings"

	"github.com/sojournhq/sojourn/bench/env"
)

func main() {
	log.SetFlags(0)
	role := flag.String("role", "", "")
	listen := flag.String("listen", "", "")
	from := flag.String("from", "", "")
	store := flag.String("store", "", "")
	plane := flag.String("plane", "", "")
	ping := flag.Duration("ping", 0, "")
	only := flag.String("only", "idle,fanout,latency,reconnect", "what to measure, of these and crowd")
	n := flag.Int("n", 10000, "connections of idle and reconnect")
	processes := flag.Int("processes", 6, "of crowd")
	each := flag.Int("each", 15000, "connections of each of them")
	write := flag.String("write", "", "a Markdown `file` to write into, between the marks")
	flag.Parse()
	switch *role {
	case "server":
		log.Fatal(serve(*listen, *store, *plane, *ping))
	case "client":
		if err := client(*listen, *from); err != nil {
			log.Fatal(err)
		}
		return
	}
	var text bytes.Buffer
	out := io.MultiWriter(os.Stdout, &text)
	fmt.Fprintf(out, "Measured by `go run -C bench ./cmd/live` with %s on %d cores of %s, client and servers together.\n\n", runtime.Version(), runtime.NumCPU(), runtime.GOARCH)
	err := run(out, *only, *n, *processes, *each)
	if err == nil && *write != "" {
		err = into(*write, text.String())
	}
	if err != nil {
		log.Fatal(err)
	}
}

func run(out io.Writer, only string, n, processes, each int) (err error) {
	e := &env.Env{}
	defer e.End()
	defer func() {
		if said, ok := recover().(env.Stopped); ok {
			err = said
		}
	}()
	for what := range strings.SplitSeq(only, ",") {
		switch what {
		case "idle":
			idle(e, out, n)
		case "fanout":
			fanOut(e, out, 1000, 30)
		case "latency":
			latency(e, out, 1000)
		case "reconnect":
			reconnects(e, out, n)
		case "crowd":
			crowd(e, out, processes, each)
		default:
			return fmt.Errorf("-only %q: expected idle, fanout, latency, reconnect, crowd", what)
		}
	}
	return nil
}

const beginMark, endMark = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"

// into writes text between the marks of a file.
func into(file, text string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(b), beginMark)
	_, after, ok2 := strings.Cut(rest, endMark)
	if !ok || !ok2 {
		return fmt.Errorf("%s: expected the lines %q and %q", file, strings.TrimSpace(beginMark), strings.TrimSpace(endMark))
	}
	return os.WriteFile(file, []byte(before+beginMark+text+endMark+after), 0o644)
}
