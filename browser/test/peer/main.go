// Command peer is the server of the SDK's tests in a real browser: any number of
// small sites, each with a clock, a network and a log that the tests hold. It
// prints the address of its control API and ends with its standard input.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
)

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", l.Addr())
	c := &control{pages: os.Args[1], sites: map[string]*site{}}
	go func() { log.Fatal(http.Serve(l, c)) }()
	io.Copy(io.Discard, os.Stdin)
}

// A control makes sites and does to them what tests ask.
type control struct {
	pages string
	sites map[string]*site
	made  int
}

func (c *control) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var order order
	if err := json.NewDecoder(r.Body).Decode(&order); err != nil {
		http.Error(w, "expected an order: "+err.Error(), 400)
		return
	}
	answer, err := c.obey(order)
	if err != nil {
		http.Error(w, err.Error(), 400)
		return
	}
	json.NewEncoder(w).Encode(answer)
}
