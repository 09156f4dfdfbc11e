// Command canary searches everything that a run of the tests lets anybody read
// for the tokens of sessions.
//
//	overlay=$(go run ./internal/proof/canary prepare)
//	GOFLAGS=-overlay=$overlay go test ./...
//	go run ./internal/proof/canary check
//
// It puts a probe into the standard library, for that run only and without
// touching a file: into what writes files, pipes and standard output, network
// connections before and behind TLS, log lines, answers that tests record, and
// errors. Package sojourn tells the probe of every token it issues or accepts.
// A token that passes a probe anywhere but in the headers that are for tokens is
// a hit, with the stack of whoever wrote it. No production code takes part.
//
// Not seen: what is cut in two by a write, compressed, or encoded otherwise than
// a cookie is (redact_test.go looks for those forms), what a text/template or
// fmt wrote for nobody, and the panic of a program that ends.
package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/sojournhq/sojourn/internal/proof/overlay"
)

//go:embed sink.txt
var sink string

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "canary:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	root, err := filepath.Abs(".")
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(root, "token.go")); err != nil {
		return errors.New("run it in the folder of the module")
	}
	dir := filepath.Join(root, "bin", "canary")
	log := filepath.Join(dir, "log")
	switch {
	case len(args) == 1 && args[0] == "prepare":
		if err := os.Remove(log); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		out, err := exec.Command("go", "env", "GOROOT").Output()
		if err != nil {
			return err
		}
		path, err := overlay.Write(dir, probes(strings.TrimSpace(string(out)), root, log))
		if err != nil {
			return fmt.Errorf("%w (Go %s: see internal/proof/canary)", err, runtime.Version())
		}
		fmt.Println(path)
		return nil
	case len(args) == 1 && args[0] == "check":
		f, err := os.Open(log)
		if err != nil {
			return fmt.Errorf("%w: expected tests to have run with the overlay that prepare makes", err)
		}
		defer f.Close()
		found, err := read(f)
		if err != nil {
			return err
		}
		fmt.Println(found)
		return found.verdict()
	}
	return errors.New("usage: canary prepare | check")
}

// tell gives a secret to the probe: the end of a token is the secret's alone.
const tell = `
func canary(s *secret) {
	var raw [tokenBytes]byte
	copy(raw[idBytes:], s[:])
	os.SojournIssued(b64.EncodeToString(raw[:]))
}
`

// headers looks at what a recorder was given, but for those that are for tokens.
const headers = `	for name, values := range rw.snapHeader {
		if name != "Set-Cookie" && name != "Sojourn-Token" {
			for _, v := range values {
				os.SojournSeenString("header", v)
			}
		}
	}
`

// probes are what is put where.
func probes(goroot, root, log string) []overlay.Patch {
	std := filepath.Join(goroot, "src")
	in := func(file, at, probe string) overlay.Patch {
		return overlay.Patch{File: filepath.Join(std, file), Old: at, New: at + probe}
	}
	own := func(file, at, probe string) overlay.Patch {
		return overlay.Patch{File: filepath.Join(root, file), Old: at, New: at + probe}
	}
	return []overlay.Patch{
		{File: filepath.Join(std, "os", "sojourn_canary.go"), New: sink + "\nconst sojournLog = " + strconv.Quote(log) + "\n"},
		in("os/file.go", "func (f *File) Write(b []byte) (n int, err error) {\n", "\tSojournSeen(\"file\", b)\n"),
		in("net/net.go", "func (c *conn) Write(b []byte) (int, error) {\n", "\tos.SojournSeen(\"wire\", b)\n"),
		in("crypto/tls/conn.go", "func (c *Conn) Write(b []byte) (int, error) {\n", "\tos.SojournSeen(\"tls\", b)\n"),
		{File: filepath.Join(std, "crypto/tls/conn.go"), Old: "import (\n", New: "import (\n\t\"os\"\n"},
		{File: filepath.Join(std, "log/slog/handler.go"), Old: "\t_, err := h.w.Write(*state.buf)\n", New: "\tos.SojournSeen(\"log\", *state.buf)\n\t_, err := h.w.Write(*state.buf)\n"},
		{File: filepath.Join(std, "log/slog/handler.go"), Old: "import (\n", New: "import (\n\t\"os\"\n"},
		{File: filepath.Join(std, "log/log.go"), Old: "\t_, err := l.out.Write(*buf)\n", New: "\tos.SojournSeen(\"log\", *buf)\n\t_, err := l.out.Write(*buf)\n"},
		in("net/http/httptest/recorder.go", "func (rw *ResponseRecorder) Write(buf []byte) (int, error) {\n", "\tos.SojournSeen(\"body\", buf)\n"),
		in("net/http/httptest/recorder.go", "func (rw *ResponseRecorder) WriteString(str string) (int, error) {\n", "\tos.SojournSeenString(\"body\", str)\n"),
		{File: filepath.Join(std, "net/http/httptest/recorder.go"), Old: "\trw.snapHeader = rw.HeaderMap.Clone()\n}", New: "\trw.snapHeader = rw.HeaderMap.Clone()\n" + headers + "}"},
		{File: filepath.Join(std, "net/http/httptest/recorder.go"), Old: "import (\n", New: "import (\n\t\"os\"\n"},
		in("fmt/errors.go", "\ts := string(p.buf)\n", "\tos.SojournSeenString(\"error\", s)\n"),
		{File: filepath.Join(std, "fmt/errors.go"), Old: "import (\n", New: "import (\n\t\"os\"\n"},
		in("net/http/request.go", "	rawurl := req.RequestURI\n", "\tos.SojournSeenString(\"url\", rawurl)\n"),
		{File: filepath.Join(std, "net/http/request.go"), Old: "\t\"net/url\"\n", New: "\t\"net/url\"\n\t\"os\"\n"},
		in("net/http/httptest/httptest.go", "func NewRequestWithContext(ctx context.Context, method, target string, body io.Reader) *http.Request {\n", "\tos.SojournSeenString(\"url\", target)\n"),
		{File: filepath.Join(std, "net/http/httptest/httptest.go"), Old: "\t\"io\"\n", New: "\t\"io\"\n\t\"os\"\n"},

		own("token.go", "\tcopy(t.secret[:], t.random[idBytes:])\n", "\tcanary(&t.secret)\n"),
		own("token.go", "\trand.Read(s[:])\n", "\tcanary(s)\n"),
		own("token.go", "\tcopy(next[:], mac.Sum(nil))\n", "\tcanary(&next)\n"),
		own("session.go", "\ts.standing = h.standing(&proof, at)\n", "\tif s.standing != standsNot {\n\t\tcanary(s.presented)\n\t}\n"),
		own("token.go", "func (d *digest) equal(o *digest) bool { return subtle.ConstantTimeCompare(d[:], o[:]) == 1 }\n", tell),
		own("token.go", "\t\"log/slog\"\n", "\t\"os\"\n"),
	}
}
