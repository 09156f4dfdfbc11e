// Command rivals prints what a session costs a request with Sojourn and with
// other session libraries, as a Markdown table. It takes about half a minute:
//
//	go run -C bench ./cmd/rivals
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/sojournhq/sojourn/bench/rivals"
)

func main() {
	log.SetFlags(0)
	rounds := flag.Int("rounds", 20, "how often everything is measured; the fastest round counts")
	limit := flag.Duration("time", 60*time.Millisecond, "how long one measurement takes")
	flag.Parse()
	if *rounds < 1 || *limit <= 0 || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	rows, bare, err := rivals.Run(*rounds, *limit)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s.\nThe bare handler takes %v. Fastest of %d rounds of %v.\n\n", rivals.Versions(), bare, *rounds, *limit)
	if err := rivals.Write(os.Stdout, rows); err != nil {
		log.Fatal(err)
	}
}
