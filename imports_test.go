package sojourn_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/sojournhq/sojourn"

// A room is a folder of the house and what its packages may import besides the
// standard library: of the module ("x/..." stands for x and all within it), and
// of other modules (beginnings of import paths, "*" for any).
type room struct{ own, others []string }

// rooms are read by longest name. No arrow runs back up, and siblings, which
// share a room, never import each other. A package with a driver of its own is
// a room of its own.
var rooms = map[string]room{
	"internal": {},
	".":        {own: []string{"internal/..."}},

	// Programs that prove something of the whole; nothing imports them.
	"internal/proof": {own: []string{"internal/proof/..."}},

	"browser": {}, // holds the embedded SDK
	// The server of its tests.
	"browser/test": {own: []string{".", "live", "webapi", "store/memstore"}},

	"store":                 {own: []string{".", "internal/..."}},
	"store/sqlstore":        {own: []string{".", "internal/...", "store/sqlstore/internal/..."}, others: []string{"modernc.org/sqlite", "github.com/jackc/pgx", "github.com/go-sql-driver/mysql"}},
	"store/redisstore":      {own: []string{".", "internal/..."}, others: []string{"github.com/redis/rueidis"}},
	"store/memcachestore":   {own: []string{".", "internal/..."}, others: []string{"github.com/bradfitz/gomemcache"}},
	"store/breakerstore":    {own: []string{".", "internal/..."}, others: []string{"github.com/sony/gobreaker"}},
	"format":                {own: []string{".", "format", "internal/..."}},
	"format/rediskeeper":    {own: []string{".", "format", "internal/..."}, others: []string{"github.com/redis/rueidis"}},
	"format/memcachekeeper": {own: []string{".", "format", "internal/..."}, others: []string{"github.com/bradfitz/gomemcache"}},
	"format/flaskformat":    {own: []string{".", "format", "internal/..."}, others: []string{"github.com/tinylib/msgp"}},
	"format/formattest":     {own: []string{".", "format", "internal/..."}},
	"seal":                  {own: []string{".", "internal/..."}},
	"audit":                 {own: []string{".", "internal/..."}},
	"bind":                  {own: []string{".", "internal/..."}},
	"bind/dbsc":             {own: []string{".", "internal/..."}, others: []string{"github.com/go-jose/go-jose", "github.com/dunglas/httpsfv"}},
	"bind/device":           {own: []string{".", "internal/..."}, others: []string{"github.com/mileusna/useragent"}},
	"bind/signals":          {own: []string{".", "internal/..."}, others: []string{"github.com/mileusna/useragent"}},

	"store/storetest/linear": {own: []string{"."}, others: []string{"github.com/anishathalye/porcupine"}},

	"live":            {own: []string{".", "internal/..."}, others: []string{"github.com/coder/websocket"}},
	"live/planetest":  {own: []string{".", "live"}},
	"live/redisplane": {own: []string{".", "live", "internal/..."}, others: []string{"github.com/redis/rueidis"}},
	"live/pgplane":    {own: []string{".", "live", "internal/..."}, others: []string{"github.com/jackc/pgx"}},

	"webapi": {own: []string{".", "internal/...", "live", "browser"}},
	"server": {own: []string{".", "internal/...", "live", "webapi", "seal", "bind/...", "server/..."},
		others: []string{"github.com/prometheus/client_golang", "go.opentelemetry.io/otel"}},

	"cmd": {own: []string{".", "internal/...", "store/...", "format/...", "seal", "audit", "bind/...", "live/...", "webapi", "server/...", "browser", "cmd/..."},
		others: []string{"*"}},
	"examples": {own: []string{".", "store/...", "format/...", "seal", "audit", "bind/...", "live/...", "webapi"}, others: []string{"*"}},
}

// Nobody imports these, but cmd, which knows everything, and their own rooms.
var top = []string{"cmd", "server", "bench", "examples"}

// Conformance suites are for tests.
var suites = []string{"store/storetest", "store/storetest/linear", "format/formattest", "live/planetest"}

type pkg struct {
	ImportPath, Doc                    string
	Imports, TestImports, XTestImports []string
	GoFiles                            []string
	Error                              *struct{ Err string }
}

var listed = sync.OnceValues(func() (pkgs []pkg, err error) {
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Doc,Imports,TestImports,XTestImports,GoFiles,Error", "./...")
	cmd.Env = append(cmd.Environ(), "GOPROXY=off")
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, complaint.Bytes())
	}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); err == io.EOF {
			return pkgs, nil
		} else if err != nil {
			return nil, err
		}
		pkgs = append(pkgs, p)
	}
})

func TestImports(t *testing.T) {
	pkgs, err := listed()
	if err != nil {
		t.Fatal(err)
	}
	if len(pkgs) < 3 {
		t.Fatalf("only %d packages: is this the module's root?", len(pkgs))
	}
	for _, v := range violations(pkgs) {
		t.Error(v)
	}
}

// folder is an import path's place in the module, "" for others' packages.
func folder(path string) string {
	if path == module {
		return "."
	}
	if f, ok := strings.CutPrefix(path, module+"/"); ok {
		return f
	}
	return ""
}

// inside reports whether a folder or import path is another or within it.
func inside(f, room string) bool { return f == room || strings.HasPrefix(f, room+"/") }

// roomOf finds the longest room that holds a folder, "" for none.
func roomOf(f string) (found string) {
	for name := range rooms {
		if inside(f, name) && len(name) > len(found) {
			found = name
		}
	}
	return found
}

func (r room) allows(f string) bool {
	return slices.ContainsFunc(r.own, func(allowed string) bool {
		tree, all := strings.CutSuffix(allowed, "/...")
		return f == tree || all && inside(f, tree)
	})
}

func (r room) allowsOther(path string) bool {
	return slices.ContainsFunc(r.others, func(m string) bool { return m == "*" || inside(path, m) })
}

// foreign tells others' modules from the standard library.
func foreign(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return strings.Contains(first, ".")
}

// violations checks packages against the rooms, in words.
func violations(pkgs []pkg) (found []string) {
	report := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	imports := map[string][]string{}
	for _, p := range pkgs {
		imports[p.ImportPath] = p.Imports
	}
	for _, p := range pkgs {
		from := folder(p.ImportPath)
		name := roomOf(from)
		if name == "" {
			report("%s is in no room: name its room, and what it may import, in imports_test.go", from)
			continue
		}
		r := rooms[name]
		for _, path := range p.Imports {
			to := folder(path)
			switch {
			case path == "C":
				report("%s imports C: the module is pure Go", from)
			case to != "" && slices.Contains(suites, to):
				report("%s imports %s, which is for tests", from, to)
			case to != "" && inside(to, from): // an inner package of its own
			case to != "" && !r.allows(to):
				report("%s imports %s; room %s may import only %s", from, to, name, orNothing(r.own))
			case to == "" && foreign(path) && !r.allowsOther(path):
				report("%s imports %s; room %s may import of other modules only %s", from, path, name, orNothing(r.others))
			}
		}
		for _, path := range slices.Concat(p.TestImports, p.XTestImports) {
			if to := folder(path); to != "" && slices.ContainsFunc(top, func(t string) bool { return inside(to, t) }) && !inside(from, "cmd") && roomOf(to) != name {
				report("a test of %s imports %s, which nobody does", from, to)
			}
		}
		for _, path := range p.TestImports {
			if reaches(imports, path, p.ImportPath, map[string]bool{}) {
				report("a test of %s imports %s, which leads back to it", from, folder(path))
			}
		}
	}
	return found
}

func orNothing(list []string) string {
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, ", ")
}

func reaches(imports map[string][]string, from, to string, seen map[string]bool) bool {
	if from == to {
		return true
	}
	if seen[from] {
		return false
	}
	seen[from] = true
	return slices.ContainsFunc(imports[from], func(next string) bool { return reaches(imports, next, to, seen) })
}

// The law must be able to fail: every made-up violation is found, and nothing
// else is. Own packages begin with "./", others' are written as imported.
func TestImportsDetects(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{ // want: part of the report, "" for allowed
		{".", "net/http", ""}, {".", "./internal/x", ""}, {"./store/memstore", ".", ""}, {"./store/sqlstore", "modernc.org/sqlite", ""},
		{"./store/sqlstore", "github.com/jackc/pgx/v5/stdlib", ""}, {"./store/sqlstore", "./store/sqlstore/inner", ""},
		{"./live", "github.com/coder/websocket", ""}, {"./webapi", "./browser", ""}, {"./webapi", "./live", ""}, {"./live/redisplane", "./live", ""}, {"./server", "./server/admin", ""},
		{"./server/admin", "./server", ""}, {"./server", "./bind/dbsc", ""}, {"./cmd/sojourn", "./audit", ""}, {"./cmd/sojourn", "./store/redisstore", ""},
		{"./cmd/sojourn", "./server", ""}, {"./cmd/sojourn", "github.com/spf13/cobra", ""},

		{".", "./store/memstore", ". imports store/memstore; room . may import only internal/..."},
		{".", "github.com/redis/rueidis", "of other modules only nothing"},
		{".", "golang.org/x/crypto/blake2b", "of other modules only nothing"},
		{".", "C", "pure Go"},
		{"./internal/proof/canary", "./internal/proof/overlay", ""}, {"./internal/proof/overlay", ".", "room internal/proof may import only internal/proof/..."},
		{"./internal/x", ".", "room internal may import only nothing"},
		{"./internal/x", "./internal/y", "room internal may import only nothing"},
		{"./browser", ".", "room browser may import only nothing"},
		{"./store/memstore", "./store/sqlstore", "store/memstore imports store/sqlstore"},
		{"./store/redisstore", "./store/sqlstore", "store/redisstore imports store/sqlstore"},
		{"./store/memstore", "modernc.org/sqlite", "of other modules only nothing"},
		{"./store/redisstore", "modernc.org/sqlite", "of other modules only github.com/redis/rueidis"},
		{"./store/redisstore", "github.com/redis/rueidisx", "of other modules only github.com/redis/rueidis"},
		{"./store/memstore", "./store/storetest", "which is for tests"},
		{"./cmd/sojourn", "./store/storetest", "which is for tests"},
		{"./cmd/sojourn", "./store/storetest/linear", "which is for tests"},
		{"./store/memstore", "./store/storetest/linear", "which is for tests"},
		{"./store/storetest", "github.com/anishathalye/porcupine", "of other modules only nothing"},
		{"./store/memstore", "./seal", "room store may import only ., internal/..."},
		{"./seal", "./store/memstore", "seal imports store/memstore"},
		{"./seal", "golang.org/x/crypto/chacha20poly1305", "of other modules only nothing"},
		{"./audit", "./seal", "audit imports seal"},
		{"./audit", "gopkg.in/natefinch/lumberjack.v2", "of other modules only nothing"},
		{"./server", "./audit", "server imports audit"},
		{"./bind/dbsc", "github.com/go-jose/go-jose/v4", ""},
		{"./bind/signals", "github.com/go-jose/go-jose/v4", "of other modules only github.com/mileusna/useragent"},
		{"./bind/dbsc", "./bind/signals", "bind/dbsc imports bind/signals"},
		{"./live", "./webapi", "live imports webapi"},
		{"./live/redis", "./live", "live/redis imports live"},
		{"./live", "./live/planetest", "which is for tests"},
		{"./webapi", "./live/redis", "webapi imports live/redis"},
		{"./webapi", "./server", "webapi imports server"},
		{"./webapi", "./store/memstore", "webapi imports store/memstore"},
		{"./server", "./store/memstore", "server imports store/memstore"},
		{"./server", "./cmd/sojourn", "server imports cmd/sojourn"},
		{"./server", "./bench/load", "server imports bench/load"},
		{"./format/php", "./format/koa", "format/php imports format/koa"},
		{"./nowhere", "fmt", "nowhere is in no room"},
		{"./internalx/y", "fmt", "internalx/y is in no room"},
	} {
		check(t, []pkg{{ImportPath: at(c.from), Imports: []string{at(c.to)}}}, c.want, c.from+" → "+c.to)
	}
	check(t, []pkg{{ImportPath: module, XTestImports: []string{at("./store/memstore")}}}, "", "the root's tests may use a store")
	check(t, []pkg{{ImportPath: module, XTestImports: []string{at("./server")}}}, "a test of . imports server", "a test of the root")
	check(t, []pkg{{ImportPath: at("./server/admin"), TestImports: []string{at("./server/demo")}}}, "", "a test within one room")
	check(t, []pkg{{ImportPath: module, TestImports: []string{at("./store/memstore")}}, {ImportPath: at("./store/memstore"), Imports: []string{module}}},
		"which leads back to it", "a cycle through a test")
}

func at(path string) string {
	if path == "." {
		return module
	}
	return strings.Replace(path, "./", module+"/", 1)
}

func check(t *testing.T, pkgs []pkg, want, what string) {
	t.Helper()
	found := violations(pkgs)
	if want == "" && len(found) != 0 || want != "" && (len(found) != 1 || !strings.Contains(found[0], want)) {
		t.Errorf("%s: %q, expected %q", what, found, want)
	}
}

// What a rule names is a room itself.
func TestImportsRoomsAreKnown(t *testing.T) {
	for name, r := range rooms {
		for _, f := range r.own {
			if f = strings.TrimSuffix(f, "/..."); roomOf(f) == "" {
				t.Errorf("%s may import %q, which is in no room", name, f)
			}
		}
	}
}
