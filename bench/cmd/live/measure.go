package main

import (
	"cmp"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sojournhq/sojourn/bench/env"
	"github.com/sojournhq/sojourn/internal/testenv"
)

// idle measures what a server takes for each connection over which nothing is
// said, with its session's log and all else that is kept for it.
func idle(e *env.Env, out io.Writer, n int) {
	fmt.Fprintf(out, "**%d idle connections to one process, each of a session of its own** (no TLS; without the kernel's part)\n\n", n)
	fmt.Fprintln(out, "| transport | RSS each, after a collection | as it is then | goroutines each | CPU to open one |\n|---|---:|---:|---:|---:|")
	for _, transport := range []string{"ws", "sse"} {
		server := startNode(e, "", "")
		tokens := server.mint(e, n, "")
		closeAll(must[[]*link](e)(hold(server.addr, "", transport, tokens[:50]))) // warm
		settle(e, server, 0)
		before := server.stats(e, true)
		links := must[[]*link](e)(hold(server.addr, "", transport, tokens))
		settle(e, server, n)
		opened := server.stats(e, false)
		for _, l := range links {
			go l.answer()
		}
		time.Sleep(5 * time.Second)
		then, now := server.stats(e, false), server.stats(e, true)
		each := func(bytes int64) string { return fmt.Sprintf("%.1f KiB", float64(bytes)/1024/float64(n)) }
		fmt.Fprintf(out, "| %s | %s | %s | %.2f | %d µs |\n", name(transport), each(now.RSS-before.RSS), each(then.RSS-before.RSS),
			float64(now.Goroutines-before.Goroutines)/float64(n), (opened.CPU-before.CPU).Microseconds()/int64(n))
		closeAll(links)
		server.Kill()
	}
	fmt.Fprintln(out)
}

func name(transport string) string {
	return map[string]string{"ws": "WebSocket", "sse": "server-sent events, HTTP/1.1"}[transport]
}

func settle(e *env.Env, server *node, n int) {
	testenv.Eventually(e, fmt.Sprintf("%d connections", n), 30*time.Second, func() error {
		if s := server.stats(e, false); s.Connections != n {
			return fmt.Errorf("%d", s.Connections)
		}
		return nil
	})
}

// fanOut measures how long one event takes to all pages of one user.
func fanOut(e *env.Env, out io.Writer, n, rounds int) {
	server := startNode(e, "", "")
	var links []*link
	for _, token := range server.mint(e, n/100, "ada") { // 100 tabs of each of ten devices
		links = append(links, must[[]*link](e)(hold(server.addr, "", "ws", slices.Repeat([]string{token}, 100)))...)
	}
	var last []time.Duration
	before := server.stats(e, false)
	for range rounds {
		took := make([]time.Duration, len(links))
		var group sync.WaitGroup
		for i, l := range links {
			group.Go(func() {
				m, err := l.next()
				for err == nil && m.Type != "app.t" {
					m, err = l.next()
				}
				took[i] = m.age()
			})
		}
		server.publish(e, "ada")
		group.Wait()
		last = append(last, slices.Max(took))
	}
	used := server.stats(e, false).CPU - before.CPU
	slices.Sort(last)
	fmt.Fprintf(out, "**One event of a user to %d sockets of ten devices**: the last has it after %v (median of %d), %v at most; %.1f µs of the server's CPU for each socket.\n\n",
		len(links), round(last[len(last)/2]), rounds, round(last[len(last)-1]), float64(used.Nanoseconds())/1000/float64(rounds*len(links)))
	closeAll(links)
	server.Kill()
}

// latency measures from Publish to a page at another server.
func latency(e *env.Env, out io.Writer, events int) {
	fmt.Fprintf(out, "**From Publish to the page** (%d events, one at a time; two servers, the page at the other one, but for the first row)\n\n", events)
	fmt.Fprintln(out, "| backplane | transport | p50 | p99 | most |\n|---|---|---:|---:|---:|")
	for _, plane := range []string{"in process", "Redis", "PostgreSQL"} {
		url := ""
		switch plane {
		case "Redis":
			url = "redis://" + testenv.StartRedis(e, nil).Addr
		case "PostgreSQL":
			url = testenv.StartPostgres(e).AdminURL()
		}
		near := startNode(e, url, url)
		far := near
		if url != "" {
			far = startNode(e, url, url)
		}
		for _, transport := range []string{"ws", "sse"} {
			owner := "ada" + transport
			l := must[*link](e)(dial(far.addr, "", transport, near.mint(e, 1, owner)[0], ""))
			var took []time.Duration
			for range events {
				near.publish(e, owner)
				m := must[message](e)(l.next())
				took = append(took, m.age())
			}
			slices.Sort(took)
			fmt.Fprintf(out, "| %s | %s | %v | %v | %v |\n", plane, name(transport), round(took[len(took)/2]), round(took[len(took)*99/100]), round(took[len(took)-1]))
			l.Close()
		}
		near.Kill()
		if far != near {
			far.Kill()
		}
	}
	fmt.Fprintln(out)
}

// reconnects measures how the pages of a server that is killed arrive at another
// one: each by the rule of docs/protocol.md, §8, "How a page connects".
func reconnects(e *env.Env, out io.Writer, n int) {
	url := "redis://" + testenv.StartRedis(e, nil).Addr
	const ping = 5 * time.Second // instead of 25, so that pages soon know how many they are
	a, b := startNode(e, url, url, "-ping", ping.String()), startNode(e, url, url)
	tokens := a.mint(e, n, "")
	links := must[[]*link](e)(hold(a.addr, "", "ws", tokens))
	ended := make([]chan struct{}, n)
	for i, l := range links {
		ended[i] = make(chan struct{})
		go func() {
			defer close(ended[i])
			l.answer()
		}()
	}
	time.Sleep(ping + 2*time.Second)
	arrived, back := make([]time.Duration, n), make([]time.Duration, n)
	tries := make([]int, n)
	before := b.stats(e, false)
	var group sync.WaitGroup
	var why reasons
	a.Kill()
	killed := time.Now()
	for i, l := range links {
		group.Go(func() {
			<-ended[i]
			wait := l.spread
			for n := 1; ; n++ {
				time.Sleep(rand.N(wait))
				wait = min(time.Second<<n, 30*time.Second)
				if tries[i]++; tries[i] == 1 {
					arrived[i] = time.Since(killed)
				}
				again, err := dial(b.addr, "", "ws", tokens[i], l.cursor)
				if err != nil {
					why.add(err)
				}
				if err == nil {
					back[i] = time.Since(killed)
					go again.answer()
					links[i] = again
					return
				}
			}
		})
	}
	group.Wait()
	used := b.stats(e, false).CPU - before.CPU
	bins := make([]int, int(slices.Max(arrived)/time.Second)+1)
	for _, at := range arrived {
		bins[int(at/time.Second)]++
	}
	again := 0
	for _, t := range tries {
		again += t - 1
	}
	slices.Sort(back)
	fmt.Fprintf(out, "**%d pages of a server that is killed**, each coming back to another one by the rule of the protocol: first attempts in each second: %s. ",
		n, strings.Trim(fmt.Sprint(bins), "[]"))
	fmt.Fprintf(out, "Half are back after %v, 99 %% after %v, all after %v; %d attempts failed; %v of the other server's CPU.\n\n",
		round(back[n/2]), round(back[n*99/100]), round(back[n-1]), again, round(used))
	why.print()
	closeAll(links)
	b.Kill()
}

// reasons counts errors, for those who look into what was measured.
type reasons struct {
	mu  sync.Mutex
	all map[string]int
}

func (r *reasons) add(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all == nil {
		r.all = map[string]int{}
	}
	text := err.Error()
	r.all[text[strings.LastIndex(text, ": ")+1:]]++
}

func (r *reasons) print() {
	for text, n := range r.all {
		log.Printf("%d attempts failed with%s", n, text)
	}
}

// crowd opens many connections to several servers that share a backplane.
func crowd(e *env.Env, out io.Writer, processes, each int) {
	url := "redis://" + testenv.StartRedis(e, &testenv.RedisOptions{Config: []string{"maxclients 1000"}}).Addr
	program, err := os.Executable()
	if err != nil {
		e.Fatalf("%v", err)
	}
	var servers []*node
	var rssBefore int64
	began := time.Now()
	for range processes {
		s := startNode(e, url, url)
		servers = append(servers, s)
		rssBefore += s.stats(e, true).RSS
	}
	for i, s := range servers {
		tokens := s.mint(e, each, "")
		cmd := exec.Command(program, "-role", "client", "-listen", s.addr, "-from", fmt.Sprintf("127.0.1.%d", i+1))
		cmd.Stdin, cmd.Stderr = strings.NewReader(strings.Join(tokens, "\n")+"\n"), os.Stderr
		ready, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			e.Fatalf("%v", err)
		}
		e.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
		line := make([]byte, 6)
		if _, err := io.ReadFull(ready, line); err != nil {
			e.Fatalf("the clients of %s ended: %v", s.addr, err)
		}
		settle(e, s, each)
	}
	opened := time.Since(began)
	var rss int64
	total := 0
	for _, s := range servers {
		st := s.stats(e, true)
		rss, total = rss+st.RSS, total+st.Connections
	}
	token := servers[0].mint(e, 1, "eve")[0]
	l := must[*link](e)(dial(servers[processes-1].addr, "", "ws", token, ""))
	var took []time.Duration
	for range 200 {
		servers[0].publish(e, "eve")
		m := must[message](e)(l.next())
		took = append(took, m.age())
	}
	slices.Sort(took)
	fmt.Fprintf(out, "**%d processes with %d WebSockets each**, %d in all, over one Redis: opened in %v, %.1f KiB of RSS each after a collection; then from Publish to a page at another process p50 %v, p99 %v.\n\n",
		processes, each, total, round(opened), float64(rss-rssBefore)/1024/float64(total), round(took[len(took)/2]), round(took[len(took)*99/100]))
}

// client holds connections for the tokens on its standard input.
func client(addr, from string) error {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	links, err := hold(addr, from, "ws", strings.Fields(string(text)))
	if err != nil {
		return err
	}
	fmt.Println("ready")
	for _, l := range links[1:] {
		go l.answer()
	}
	links[0].answer()
	return nil
}

func must[T any](e *env.Env) func(T, error) T {
	return func(v T, err error) T {
		if err != nil {
			e.Fatalf("%v", err)
		}
		return v
	}
}

func round(d time.Duration) time.Duration {
	return d.Round(cmp.Or(d/time.Second*10*time.Millisecond, d/time.Millisecond*10*time.Microsecond, time.Microsecond))
}
