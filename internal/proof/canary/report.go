package main

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// kinds of what is looked at, each of which a whole run must have met.
var kinds = []string{"body", "error", "file", "header", "log", "tls", "url", "wire"}

// A report is what the probe noted.
type report struct {
	counts  map[string]int // by kind: at least that many, "token" for those issued
	hits    []string       // tokens that got out, with stacks
	planted map[string]int // by kind: hits of the tests of this package, which let tokens out on purpose
	exempt  map[string]int // by the function of an exemption
}

// exempt are the places where a token may be read by those who shall have it.
// Each is a function that the stack of a hit holds.
var exempt = map[string]string{
	"sojourn_test.TestCarrierReadsNothingElse": "a test puts a token into a URL, where nobody may read it",
	"live_test.TestIdleMemory":                 "a test tells its second process, by a pipe, which cookies to present",
}

// purpose stands before the tokens that this package's tests let out.
const purpose = "on-purpose:"

func read(r io.Reader) (report, error) {
	found := report{counts: map[string]int{}, planted: map[string]int{}, exempt: map[string]int{}}
	most := map[string]int{} // by process and kind
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	hit := ""
	flush := func() {
		if hit != "" {
			found.sort(hit)
		}
		hit = ""
	}
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "\t") {
			if hit != "" {
				hit += line + "\n"
			}
			continue
		}
		flush()
		switch fields := strings.Fields(line); {
		case len(fields) == 4 && fields[0] == "COUNT":
			n, err := strconv.Atoi(fields[3])
			if err != nil {
				return found, err
			}
			most[fields[1]+" "+fields[2]] = max(n, most[fields[1]+" "+fields[2]])
		case strings.HasPrefix(line, "HIT "):
			hit = line + "\n"
		}
	}
	flush()
	for key, n := range most {
		_, kind, _ := strings.Cut(key, " ")
		found.counts[kind] += n
	}
	return found, lines.Err()
}

func (r *report) sort(hit string) {
	kind := strings.Fields(hit)[1]
	if line, _, _ := strings.Cut(hit, "\n"); strings.Contains(line, purpose) {
		r.planted[kind]++
		return
	}
	for function := range exempt {
		if strings.Contains(hit, function) {
			r.exempt[function]++
			return
		}
	}
	r.hits = append(r.hits, hit)
}

func (r report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "of at least %d tokens, at least", r.counts["token"])
	for _, kind := range kinds {
		fmt.Fprintf(&b, " %d %s", r.counts[kind], kind)
	}
	fmt.Fprintf(&b, " looked at: %d hits", len(r.hits))
	if len(r.planted) > 0 {
		fmt.Fprintf(&b, ", and those let out on purpose: %v", r.planted)
	}
	for _, function := range slices.Sorted(maps.Keys(r.exempt)) {
		fmt.Fprintf(&b, "\nallowed %d times: %s", r.exempt[function], exempt[function])
	}
	return b.String()
}

// verdict is an error if a token got out, or if the run cannot have told.
func (r report) verdict() error {
	if len(r.hits) > 0 {
		return fmt.Errorf("%d times a token got out:\n\n%s", len(r.hits), strings.Join(r.hits[:min(5, len(r.hits))], "\n"))
	}
	for _, kind := range append([]string{"token"}, kinds...) {
		if r.counts[kind] == 0 {
			return fmt.Errorf("no %s was ever seen: did the tests run with the overlay?", kind)
		}
	}
	for _, kind := range kinds {
		if r.planted[kind] == 0 {
			return fmt.Errorf("the token that TestCanary lets out by %s was not seen", kind)
		}
	}
	return nil
}
