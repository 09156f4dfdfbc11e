// Command sizes prints, as a Markdown table, what a session takes in each store
// and what an operation costs whatever runs it, at growing numbers of sessions:
//
//	go run -C bench ./cmd/sizes -n 1000,10000,100000
//
// It starts real servers where they are installed. A million sessions take some
// minutes per store.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"

	"github.com/sojournhq/sojourn/bench/env"
	"github.com/sojournhq/sojourn/bench/sizes"
)

func main() {
	log.SetFlags(0)
	counts := flag.String("n", "1000,10000,100000", "numbers of sessions")
	only := flag.String("stores", "", "only these, as in redis,postgres (default: all)")
	active := flag.Int("active", 0, "how many of the sessions are used (default: all)")
	flag.Parse()
	var ns []int
	for text := range strings.SplitSeq(*counts, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			log.Fatalf("-n %q: expected numbers above 0 and commas", *counts)
		}
		ns = append(ns, n)
	}
	slices.Sort(ns)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	fmt.Println("| store | sessions | bytes each | CPU load | CPU update | CPU touch |")
	fmt.Println("|---|---:|---:|---:|---:|---:|")
	for _, name := range subjects() {
		if *only != "" && !slices.Contains(strings.Split(*only, ","), name) {
			continue
		}
		if err := run(ctx, name, ns, *active); err != nil {
			log.Printf("%s: %v", name, err)
		}
		if ctx.Err() != nil {
			os.Exit(1)
		}
	}
}

func run(ctx context.Context, name string, ns []int, active int) (err error) {
	e := &env.Env{}
	defer func() {
		if said, ok := recover().(env.Stopped); ok {
			err = said
		}
		e.End()
	}()
	progress := func(text string) { fmt.Fprintf(os.Stderr, "\r\033[K%s", text) }
	defer progress("")
	rows, err := sizes.Measure(ctx, open(ctx, e, name), ns, active, progress)
	progress("")
	for _, r := range rows {
		fmt.Printf("| %s | %d | %.0f | %v | %v | %v |\n", r.Name, r.Sessions, r.Bytes, r.Load.Round(10), r.Update.Round(10), r.Touch.Round(10))
	}
	return err
}
