package phpformat

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/internal/testenv"
)

// A peer is a real PHP that reads and writes session records.
type peer struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Scanner
}

type answer struct {
	OK     bool
	Record []byte
	Dump   []byte // var_dump($_SESSION)
	JSON   []byte // json_encode($_SESSION)
}

func startPeer(t *testing.T) *peer {
	t.Helper()
	php := testenv.Binary(t, "apt-get install php8.2-cli php-igbinary", "php8.2", "php")
	if out, err := exec.Command(php, "-m").Output(); err != nil || !bytes.Contains(out, []byte("igbinary")) {
		if testenv.Required() {
			t.Fatal("PHP has no igbinary: apt-get install php-igbinary")
		}
		t.Skip("PHP has no igbinary: apt-get install php-igbinary")
	}
	script, err := filepath.Abs("testdata/peer.php")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(php, script)
	cmd.Dir = t.TempDir()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); cmd.Wait() })
	p := &peer{t: t, in: in, out: bufio.NewScanner(out)}
	p.out.Buffer(nil, 64<<20)
	return p
}

func (p *peer) ask(h Handler, what string) (a answer) {
	p.t.Helper()
	fmt.Fprintf(p.in, "%s %s\n", h, what)
	if !p.out.Scan() {
		p.t.Fatalf("PHP does not answer: %v", p.out.Err())
	}
	if err := json.Unmarshal(p.out.Bytes(), &a); err != nil {
		p.t.Fatalf("PHP says %q: %v", p.out.Bytes(), err)
	}
	return a
}

func (p *peer) sample(h Handler, name string) []byte { p.t.Helper(); return p.ask(h, "+"+name).Record }

func (p *peer) read(h Handler, record []byte) answer {
	p.t.Helper()
	return p.ask(h, base64.StdEncoding.EncodeToString(record))
}

var samples = []string{"empty", "plain", "floats", "bytes", "objects", "custom", "same", "references", "circle", "repeats"}

// What PHP writes is read, and written again byte for byte as long as nothing changes.
func TestPeerRecordsKeepTheirBytes(t *testing.T) {
	p := startPeer(t)
	for _, h := range Handlers {
		for _, name := range samples {
			record := p.sample(h, name)
			d, err := Parse(h, record)
			if err != nil {
				t.Errorf("%s %s: %v\n%q", h, name, err, record)
				continue
			}
			again, err := d.Bytes()
			if err != nil || !bytes.Equal(again, record) {
				t.Errorf("%s %s: written again as\n%q, was\n%q (%v)", h, name, short(again), short(record), err)
			}
			// The same when every reference is numbered and every value written anew.
			d.shifted = d.movable() == nil
			for _, m := range d.members {
				if h != Igbinary && m.val.kind != kindCustom {
					forget(m.val, map[*value]bool{})
				}
			}
			if again, err = d.Bytes(); err != nil || !bytes.Equal(again, record) {
				t.Errorf("%s %s: numbered and written anew as\n%q, was\n%q (%v)", h, name, short(again), short(record), err)
			}
		}
	}
}

// forget drops the bytes that values were read from.
func forget(v *value, seen map[*value]bool) {
	if v == nil || seen[v] {
		return
	}
	seen[v] = true
	v.raw = nil
	for i := range v.keys {
		v.keys[i].raw = nil
	}
	for _, item := range v.items {
		forget(item, seen)
	}
	forget(v.target, seen)
}

func short(b []byte) []byte { return b[:min(len(b), 3000)] }

// The view of what JSON can hold is what json_encode says.
func TestPeerViewIsJSONEncode(t *testing.T) {
	p := startPeer(t)
	for _, h := range Handlers {
		a := p.ask(h, "+plain")
		d, err := Parse(h, a.Record)
		if err != nil {
			t.Fatal(err)
		}
		var all []byte
		for i, name := range d.Names() {
			raw, err := d.JSON(name)
			if err != nil {
				t.Fatal(err)
			}
			all = fmt.Appendf(all, "%c%q:%s", "{,"[min(i, 1)], name, raw)
		}
		if all = append(all, '}'); !bytes.Equal(all, a.JSON) {
			t.Errorf("%s: view\n%s\njson_encode\n%s", h, all, a.JSON)
		}
	}
}

// Every member of every sample, replaced or deleted or with others appended: PHP
// takes the record and finds all others as they were.
func TestPeerReadsWhatChanged(t *testing.T) {
	p := startPeer(t)
	const news = `{"a":[1,2.5,"żółć",null,true],"f":{"@float":"NaN"},"b":{"@bytes":"AP8="},"5":{"@class":"stdClass","x":-1}}`
	for _, h := range Handlers {
		for _, sample := range samples {
			record := p.sample(h, sample)
			before := p.read(h, record)
			d, err := Parse(h, record)
			if err != nil {
				t.Fatal(err)
			}
			names := d.Names()
			if sample == "repeats" { // long, and of one kind
				names = []string{"value", "last"}
			}
			was := membersOf(before.Dump)
			for _, name := range append(names, "new") {
				for _, change := range []string{"set", "delete"} {
					d, _ := Parse(h, record)
					if change == "set" {
						err = d.Set(name, json.RawMessage(news))
					} else {
						err = d.Delete(name)
					}
					if err != nil {
						t.Errorf("%s %s: %s %q: %v", h, sample, change, name, err)
						continue
					}
					changed, err := d.Bytes()
					if err != nil {
						t.Errorf("%s %s: %s %q: %v", h, sample, change, name, err)
						continue
					}
					after := p.read(h, changed)
					if !after.OK {
						t.Errorf("%s %s: PHP refuses the record after %s %q:\n%q", h, sample, change, name, short(changed))
						continue
					}
					compareMembers(t, fmt.Sprintf("%s %s: after %s %q", h, sample, change, name), was, membersOf(after.Dump), name, change == "set")
				}
			}
		}
	}
}

var dumped = regexp.MustCompile(`\n  \["?([^"\n]*)"?\]=>\n`)

// members splits what var_dump says of $_SESSION. That a value is shared with
// another is left out: it ends when the other goes.
func membersOf(dump []byte) map[string]string {
	text := strings.ReplaceAll(string(dump), "*RECURSION*", "")
	all := map[string]string{}
	at := dumped.FindAllStringSubmatchIndex(text, -1)
	for i, m := range at {
		end := len(text)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		all[text[m[2]:m[3]]] = strings.TrimRight(strings.ReplaceAll(text[m[1]:end], "&", ""), "\n}") // the last one has the array's brace
	}
	return all
}

func compareMembers(t *testing.T, what string, was, is map[string]string, changed string, set bool) {
	t.Helper()
	for name, text := range was {
		if name != changed && is[name] != text {
			t.Errorf("%s: PHP finds in %q\n%s\nit was\n%s", what, name, is[name], text)
		}
	}
	text, there := is[changed]
	if there != set {
		t.Errorf("%s: the member is there: %v", what, there)
	}
	if set && (!strings.Contains(text, "żółć") || !strings.Contains(text, "float(NAN)") || !strings.Contains(text, "(stdClass)") || !strings.Contains(text, "string(2) \"\x00\xff\"")) {
		t.Errorf("%s: PHP finds\n%s", what, text)
	}
}

// Records that are damaged a little: where we and PHP do not agree whether one
// can be read, one of both would lose the session.
func TestPeerAgreesAboutDamage(t *testing.T) {
	p := startPeer(t)
	r := rand.New(rand.NewPCG(1, 2))
	rounds := 400
	if testing.Short() {
		rounds = 50
	}
	for _, h := range Handlers {
		disagreed := 0
		for _, sample := range []string{"plain", "floats", "bytes", "same", "references", "circle"} {
			record := p.sample(h, sample)
			for range rounds {
				bad := damage(r, record)
				_, err := Parse(h, bad)
				if h == Igbinary && err != nil {
					continue // the extension may crash over it
				}
				if ok := p.read(h, bad).OK; ok != (err == nil) && disagreed < 5 && !mayDiffer(bad, ok) {
					disagreed++
					t.Errorf("%s %s: PHP takes it: %v; we say %v\n%q\nwas\n%q", h, sample, ok, err, bad, record)
				}
			}
		}
	}
}

// mayDiffer names what only the PHP application knows: its classes and enums.
func mayDiffer(record []byte, ok bool) bool {
	return !ok && (bytes.Contains(record, []byte("E:")) || bytes.Contains(record, []byte{igEnum}))
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
			b[i] = "0123456789;:{}\"|aiOsRrNdb"[r.IntN(25)]
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
