package flaskformat

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/sojournhq/sojourn/internal/testenv"
)

// A peer is a real Python with Flask, that reads and writes records.
type peer struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Scanner
}

type question struct {
	Do       string `json:"do"`
	Form     Form   `json:"form,omitempty"`
	Sample   string `json:"sample,omitempty"`
	Protocol int    `json:"protocol,omitempty"`
	Record   []byte `json:"record,omitempty"`
	Secret   string `json:"secret,omitempty"`
	Cookie   string `json:"cookie,omitempty"`
	ID       string `json:"id,omitempty"`
}

type answer struct {
	OK      bool
	Why     string
	Error   string
	Record  []byte
	Cookie  string
	Members map[string]string // repr of name → repr of value
}

const installFlask = "apt-get install python3-flask python3-flask-session python3-msgpack python3-redis"

func startPeer(t *testing.T) *peer {
	t.Helper()
	p := *sharedPeer(t)
	p.t = t
	return &p
}

var sharedPeer = testenv.Shared(func(t testenv.TB) *peer {
	python := testenv.Binary(t, installFlask, "/usr/bin/python3")
	if out, err := exec.Command(python, "-c", "import flask, msgpack").CombinedOutput(); err != nil {
		if testenv.Required() {
			t.Fatalf("Python lacks a module: %s\n%s", installFlask, out)
		}
		t.Skipf("Python has no Flask: %s", installFlask)
	}
	script, err := filepath.Abs("testdata/peer.py")
	if err != nil {
		t.Fatalf("%v", err)
	}
	cmd := exec.Command(python, "-W", "ignore", script)
	cmd.Dir = t.TempDir()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatalf("%v", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatalf("%v", err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() { in.Close(); cmd.Wait() })
	p := &peer{in: in, out: bufio.NewScanner(out)}
	p.out.Buffer(nil, 64<<20)
	return p
})

func (p *peer) ask(q question) (a answer) {
	p.t.Helper()
	if err := json.NewEncoder(p.in).Encode(q); err != nil {
		p.t.Fatal(err)
	}
	if !p.out.Scan() {
		p.t.Fatalf("Python does not answer: %v", p.out.Err())
	}
	if err := json.Unmarshal(p.out.Bytes(), &a); err != nil {
		p.t.Fatalf("Python says %q: %v", p.out.Bytes(), err)
	}
	if a.Error != "" {
		p.t.Fatalf("Python fails at %+v: %s", q, a.Error)
	}
	return a
}

var samples = map[Form][]string{
	Tagged:  {"empty", "plain", "numbers", "types", "tags", "onetag", "surrogate", "long"},
	JSON:    {"empty", "plain", "numbers", "tags", "onetag", "surrogate", "long"},
	Msgpack: {"empty", "plain", "tags", "long"},
	Pickle:  {"empty", "plain", "numbers", "types", "tags", "surrogate", "long", "pickled", "shuffled"},
}

// What Python writes is read, and written again byte for byte as long as nothing changes.
func TestPeerRecordsKeepTheirBytes(t *testing.T) {
	p := startPeer(t)
	for form, names := range samples {
		for _, name := range names {
			record := p.ask(question{Do: "dump", Form: form, Sample: name}).Record
			if got := Detect(record); got != form && form != Tagged {
				t.Errorf("%s %s is taken for %q", form, name, got)
			}
			d, err := Parse(form, record)
			if err != nil {
				t.Errorf("%s %s: %v\n%q", form, name, err, record)
				continue
			}
			d.changed = form != Pickle
			again, err := d.Bytes()
			if form == JSON { // Python's has spaces, ours has none
				again, record = compact(again), compact(record)
			}
			if err != nil || !bytes.Equal(again, record) {
				t.Errorf("%s %s: written again as\n%q, was\n%q (%v)", form, name, again, record, err)
			}
		}
	}
}

func compact(b []byte) []byte { return bytes.ReplaceAll(b, []byte(" "), nil) }

func TestPeerPickleProtocols(t *testing.T) {
	p := startPeer(t)
	for protocol := 2; protocol <= 5; protocol++ {
		for _, name := range []string{"plain", "numbers", "long"} {
			record := p.ask(question{Do: "dump", Form: Pickle, Sample: name, Protocol: protocol}).Record
			if _, err := Parse(Pickle, record); err != nil {
				t.Errorf("protocol %d, %s: %v", protocol, name, err)
			}
		}
	}
}

// The view, by type.
func TestPeerView(t *testing.T) {
	p := startPeer(t)
	for _, c := range []struct {
		form         Form
		sample, name string
		want         string
	}{
		{Tagged, "plain", "cart", `[1,2.5,"żółć","😀"]`}, {Msgpack, "plain", "user", `{"id":42,"name":"Ada"}`}, {Pickle, "plain", "nested", `[[[]],{"a":{}}]`},
		{Tagged, "numbers", "big", `1208925819614629174706176`}, {Pickle, "numbers", "low", `-1208925819614629174706176`}, {Tagged, "numbers", "nan", `{"@float":"NaN"}`},
		{Tagged, "numbers", "ninf", `{"@float":"-Infinity"}`}, {Pickle, "numbers", "f", `1.0`}, {Pickle, "numbers", "ints", `[0,127,128,255,256,65535,65536,-1,-128,-129,-32769,2147483648,-2147483648,-2147483649]`},
		{Tagged, "types", "t", `[1,2,["x"]]`}, {Pickle, "types", "t", `[1,2,["x"]]`}, {Tagged, "types", "b", `{"@bytes":"AP+A"}`}, {Pickle, "types", "b", `{"@bytes":"AP+A"}`},
		{Tagged, "types", "u", `{"@uuid":"80000000-0000-0000-0000-000000000007"}`}, {Pickle, "types", "u", `{"@uuid":"80000000-0000-0000-0000-000000000007"}`},
		{Tagged, "types", "d", `{"@datetime":"2023-11-14T22:13:20Z"}`}, {Pickle, "types", "d", `{"@datetime":"2023-11-14T22:13:20Z"}`}, {Tagged, "types", "m", `"<b>&</b>"`}, {Pickle, "types", "m", `"<b>&</b>"`},
		{Tagged, "tags", "a", `{" t":[1]}`}, {Tagged, "tags", "c", `{" di":{" di":1}}`}, {Tagged, "onetag", " t", `[1,2]`}, {Tagged, "tags", "f", `[{" b":"AA"}]`},
		{Tagged, "surrogate", "s", `"a\ud800b"`}, {JSON, "surrogate", "pair", `"😀"`}, {Pickle, "surrogate", "s", `"a\ud800b"`},
		{Pickle, "pickled", "dec", `{"@decimal":"1.50"}`}, {Pickle, "pickled", "s", `{"@set":[1]}`}, {Pickle, "pickled", "fs", `{"@frozenset":[1]}`},
		{Pickle, "pickled", "micro", `{"@datetime":"2023-11-14T22:13:20.123456-02:30"}`}, {Pickle, "pickled", "naive", `{"@datetime":"2023-01-02T00:00:00"}`},
		{Pickle, "pickled", "date", `{"@date":"2024-02-03"}`}, {Pickle, "pickled", "td", `{"@timedelta":"-86394.999997"}`}, {Pickle, "pickled", "shared", `[[1],[1]]`},
	} {
		d, err := Parse(c.form, p.ask(question{Do: "dump", Form: c.form, Sample: c.sample}).Record)
		if err != nil {
			t.Errorf("%s %s: %v", c.form, c.sample, err)
			continue
		}
		if got, err := d.JSON(c.name); err != nil || string(got) != c.want || !json.Valid(got) {
			t.Errorf("%s %s %q: %s (%v), expected %s", c.form, c.sample, c.name, got, err, c.want)
		}
	}
}

// Every member of every sample, replaced or deleted or with others appended:
// Python takes the record and finds all others as they were.
func TestPeerReadsWhatChanged(t *testing.T) {
	p := startPeer(t)
	news := map[Form]string{
		Tagged:  `{"a":[1,2.5,"żółć😀",null,true],"f":{"@float":"-Infinity"},"b":{"@bytes":"AP8="},"u":{"@uuid":"00000000-0000-0000-0000-000000000007"},"t":{"@tuple":[{" t":[1]}]},"d":{"@datetime":"2023-11-14T22:13:20Z"},"big":99999999999999999999999}`,
		JSON:    `{"a":[1,2.5,"żółć😀",null,true],"big":99999999999999999999999}`,
		Msgpack: `{"a":[1,2.5,"żółć😀",null,true],"f":{"@float":"-Infinity"},"b":{"@bytes":"AP8="},"d":{"@datetime":"2023-11-14T22:13:20Z"},"big":18446744073709551615,"n":-129}`,
		Pickle:  `{"a":[1,2.5,"żółć😀",null,true],"f":{"@float":"-Infinity"},"b":{"@bytes":"AP8="},"t":{"@tuple":[{" t":[1]}]},"s":{"@set":[1]},"big":99999999999999999999999,"n":-99999999999999999999999,"e":[{},[],0,-1]}`,
	}
	shown := map[Form]string{
		Tagged:  `{'a': [1, 2.5, '\u017c\xf3\u0142\u0107\U0001f600', None, True], 'b': b'\x00\xff', 'big': 99999999999999999999999, 'd': datetime.datetime(2023, 11, 14, 22, 13, 20, tzinfo=datetime.timezone.utc), 'f': -inf, 't': ({' t': [1]}), 'u': UUID('00000000-0000-0000-0000-000000000007')}`,
		JSON:    `{'a': [1, 2.5, '\u017c\xf3\u0142\u0107\U0001f600', None, True], 'big': 99999999999999999999999}`,
		Msgpack: `{'a': [1, 2.5, '\u017c\xf3\u0142\u0107\U0001f600', None, True], 'b': b'\x00\xff', 'big': 18446744073709551615, 'd': datetime.datetime(2023, 11, 14, 22, 13, 20, tzinfo=datetime.timezone.utc), 'f': -inf, 'n': -129}`,
		Pickle:  `{'a': [1, 2.5, '\u017c\xf3\u0142\u0107\U0001f600', None, True], 'b': b'\x00\xff', 'big': 99999999999999999999999, 'e': [{}, [], 0, -1], 'f': -inf, 'n': -99999999999999999999999, 's': {1}, 't': ({' t': [1]})}`,
	}
	for form, names := range samples {
		for _, sample := range names {
			record := p.ask(question{Do: "dump", Form: form, Sample: sample}).Record
			before := p.ask(question{Do: "load", Form: form, Record: record})
			d, err := Parse(form, record)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range append(d.Names(), "new", " t") {
				for _, change := range []string{"set", "delete"} {
					if form == Pickle && change == "delete" {
						continue
					}
					what := fmt.Sprintf("%s %s: after %s %q", form, sample, change, name)
					d, _ := Parse(form, record)
					if change == "set" {
						err = d.Set(name, json.RawMessage(news[form]))
					} else {
						err = d.Delete(name)
					}
					if err != nil {
						t.Errorf("%s: %v", what, err)
						continue
					}
					changed, err := d.Bytes()
					if err != nil {
						t.Errorf("%s: %v", what, err)
						continue
					}
					after := p.ask(question{Do: "load", Form: form, Record: changed})
					if !after.OK {
						t.Errorf("%s: Python refuses the record (%s):\n%q", what, after.Why, changed)
						continue
					}
					repr := asRepr(name)
					for member, was := range before.Members {
						if member != repr && after.Members[member] != was {
							t.Errorf("%s: Python finds in %s\n%s\nit was\n%s", what, member, after.Members[member], was)
						}
					}
					if change == "delete" && after.Members[repr] != "" {
						t.Errorf("%s: Python finds %s", what, after.Members[repr])
					}
					if change == "set" && after.Members[repr] != shown[form] {
						t.Errorf("%s: Python finds\n%s\nexpected\n%s", what, after.Members[repr], shown[form])
					}
				}
			}
		}
	}
}

// asRepr is Python's ascii() of a name of the samples.
func asRepr(name string) string {
	if surrogate(name) {
		return fmt.Sprintf(`'\u%04x'`, 0xd000|uint16(name[1]&0x3f)<<6|uint16(name[2]&0x3f))
	}
	return "'" + name + "'"
}

// Records that are damaged a little: where we take one that Python refuses, or
// the reverse, one of both would lose the session.
func TestPeerAgreesAboutDamage(t *testing.T) {
	p := startPeer(t)
	r := rand.New(rand.NewPCG(1, 2))
	rounds := 150
	if testing.Short() {
		rounds = 30
	}
	for _, form := range []Form{Tagged, JSON, Msgpack} {
		disagreed := 0
		for _, sample := range samples[form] {
			if sample == "long" {
				continue
			}
			record := p.ask(question{Do: "dump", Form: form, Sample: sample}).Record
			for range rounds {
				bad := damage(r, record)
				_, err := Parse(form, bad)
				a := p.ask(question{Do: "load", Form: form, Record: bad})
				if a.OK != (err == nil) && disagreed < 5 && !mayDiffer(form, bad, a) {
					disagreed++
					t.Errorf("%s %s: Python takes it: %v %s; we say %v\n%q\nwas\n%q", form, sample, a.OK, a.Why, err, bad, record)
				}
			}
		}
	}
}

// mayDiffer: what Python reads of malformed tags, and what its msgpack has beyond
// Flask-Session's, is not worth following.
func mayDiffer(form Form, record []byte, a answer) bool {
	return form == Tagged && bytes.Contains(record, []byte(`" `)) || form == Msgpack && bytes.ContainsAny(record, "\xc7\xc8\xc9\xd4\xd5\xd6\xd7\xd8")
}

func damage(r *rand.Rand, record []byte) []byte {
	b := bytes.Clone(record)
	for range 1 + r.IntN(2) {
		if len(b) < 2 {
			break
		}
		i := r.IntN(len(b))
		switch r.IntN(5) {
		case 0:
			b[i] = byte(r.IntN(256))
		case 1:
			b[i] = `{}[]",:\u0123456789eE+-.NIt `[r.IntN(27)]
		case 2:
			b = append(b[:i], b[i+1:]...)
		case 3:
			b = b[:i]
		case 4:
			j := r.IntN(len(b))
			b = append(b[:i:i], b[j:]...)
		}
	}
	return b
}
