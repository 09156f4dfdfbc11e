package seal_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/seal"
)

func TestParseRing(t *testing.T) {
	a, b, c := seal.GenerateKey(), seal.GenerateKey(), seal.GenerateKey()
	ids := func(r *seal.Ring) (s string) {
		for _, k := range r.Keys() {
			s += k.ID + " "
			if k.Active {
				s += "seals "
			}
		}
		return s
	}
	want := a.ID() + " seals " + b.ID() + " " + c.ID() + " "
	for what, text := range map[string]string{
		"lines":        a.Reveal() + "\n" + b.Reveal() + "\n" + c.Reveal() + "\n",
		"no last line": a.Reveal() + "\n" + b.Reveal() + "\n" + c.Reveal(),
		"comments":     "# keys\n\n  " + a.Reveal() + " # new\r\n" + b.Reveal() + "\n#" + b.Reveal() + "\n\t" + c.Reveal() + "\n",
		"one line":     a.Reveal() + " " + b.Reveal() + "  " + c.Reveal(),
	} {
		r, err := seal.ParseRing(strings.NewReader(text))
		if err != nil || ids(r) != want {
			t.Errorf("%s: %v, %v", what, r, err)
		}
	}
	for what, text := range map[string]string{
		"":                             "no key",
		"# nothing":                    "no key",
		a.Reveal() + "\n" + a.Reveal(): "twice",
		a.Reveal() + "\npassword":      "line 2",
		strings.Repeat("# "+a.Reveal()+"\n", 2000):    "bytes",
		a.Reveal() + " # " + strings.Repeat("x", 1e5): "bytes",
	} {
		if _, err := seal.ParseRing(strings.NewReader(what)); !errors.Is(err, sojourn.ErrInvalid) || !strings.Contains(err.Error(), text) || leaksKey(a, err.Error()) {
			t.Errorf("expected %q: %v", text, err)
		}
	}
	var many strings.Builder
	for range 65 {
		many.WriteString(seal.GenerateKey().Reveal() + "\n")
	}
	if _, err := seal.ParseRing(strings.NewReader(many.String())); !errors.Is(err, sojourn.ErrInvalid) {
		t.Errorf("65 keys: %v", err)
	}
	broken := errors.New("broken")
	if _, err := seal.ParseRing(io.MultiReader(strings.NewReader(a.Reveal()), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("a reader that fails: %v", err)
	}
	if _, err := seal.NewRing(seal.Key{}); !errors.Is(err, sojourn.ErrInvalid) {
		t.Errorf("a zero key: %v", err)
	}
}

// What one purpose, subject or fact was sealed for opens for no other.
func TestSealerBinds(t *testing.T) {
	r := newRing(t, seal.GenerateKey())
	s := r.Sealer("one")
	sealed, err := s.Seal("id", []byte("secret"), "a", "bc")
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := s.Open("id", sealed, "a", "bc"); err != nil || string(plain) != "secret" {
		t.Fatalf("%q, %v", plain, err)
	}
	for what, f := range map[string]func() ([]byte, error){
		"another purpose": func() ([]byte, error) { return r.Sealer("two").Open("id", sealed, "a", "bc") },
		"another subject": func() ([]byte, error) { return s.Open("ie", sealed, "a", "bc") },
		"another fact":    func() ([]byte, error) { return s.Open("id", sealed, "a", "bd") },
		"facts cut apart": func() ([]byte, error) { return s.Open("id", sealed, "ab", "c") },
		"a fact less":     func() ([]byte, error) { return s.Open("id", sealed, "a") },
		"a fact more":     func() ([]byte, error) { return s.Open("id", sealed, "a", "bc", "") },
		"shifted":         func() ([]byte, error) { return r.Sealer("on").Open("eid", sealed, "a", "bc") },
	} {
		if plain, err := f(); !errors.Is(err, seal.ErrForged) || plain != nil {
			t.Errorf("%s: %q, %v", what, plain, err)
		}
	}
	var none seal.Ring
	if _, err := none.Sealer("x").Seal("id", nil); !errors.Is(err, sojourn.ErrInvalid) {
		t.Errorf("a zero ring seals: %v", err)
	}
	if _, err := none.Sealer("x").Open("id", sealed); !errors.Is(err, sojourn.ErrInvalid) {
		t.Errorf("a zero ring opens: %v", err)
	}
	if err := r.Replace(&none); !errors.Is(err, sojourn.ErrInvalid) {
		t.Errorf("replaced by nothing: %v", err)
	}
}

// Nonces are fresh: the same text sealed often never looks the same.
func TestNoncesDiffer(t *testing.T) {
	s := newRing(t, seal.GenerateKey()).Sealer("x")
	seen := map[string]bool{}
	for range 10_000 {
		b, err := s.Seal("id", nil)
		if err != nil || len(b) != seal.Overhead || seen[string(b)] {
			t.Fatalf("%x, %v", b, err)
		}
		seen[string(b)] = true
	}
}
