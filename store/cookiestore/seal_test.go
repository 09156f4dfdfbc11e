package cookiestore_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/cookiestore"
	"github.com/sojournhq/sojourn/store/memstore"
)

// A record that was changed in any bit, cut or extended is no session, and no error.
func TestTampering(t *testing.T) {
	b := newSite(t, sojourn.Policy{}).browser()
	b.set("bread")
	good := b.cookies[dataCookie]
	try := func(what, value string) {
		t.Helper()
		forged := b.copy()
		forged.cookies[dataCookie] = value
		forged.expect(what, none, "", "")
		if len(forged.sent) != 0 {
			t.Errorf("%s was answered with %q", what, forged.sent)
		}
	}
	raw, err := base64.RawURLEncoding.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		changed := bytes.Clone(raw)
		changed[i] ^= 1 << (i % 8)
		try("a changed record", base64.RawURLEncoding.EncodeToString(changed))
		try("a truncated record", base64.RawURLEncoding.EncodeToString(raw[:i]))
	}
	try("an extended record", base64.RawURLEncoding.EncodeToString(append(raw, 0)))
	try("padding", good+"==")
	try("not base64", "!"+good[1:])
	try("nothing", "")
	try("too long a value", strings.Repeat("A", 9000))
	b.expect("the record itself", active, "", "bread")
}

// A record opens for its own session only, under its own name.
func TestRecordsCannotBeSwapped(t *testing.T) {
	s := newSite(t, sojourn.Policy{})
	ada, grace := s.browser(), s.browser()
	ada.login("ada")
	ada.set("bread")
	grace.login("grace")
	mixed := grace.copy()
	mixed.cookies[dataCookie] = ada.cookies[dataCookie]
	mixed.expect("another session's record", none, "", "")
	delete(mixed.cookies, dataCookie)
	mixed.expect("a token without its record", none, "", "")
	mixed.set("cheese") // it goes on as a visitor
	mixed.expect("a session begun instead", active, "", "cheese")

	renamed, err := cookiestore.New([][]byte{key(1)}, s.marks, &cookiestore.Options{Clock: s.now, Cookie: sojourn.Cookie{Name: "__Host-other"}})
	if err != nil {
		t.Fatal(err)
	}
	other := &site{t: t, store: renamed, marks: s.marks}
	if other.manager, err = sojourn.New(renamed, &sojourn.Options{Clock: s.now}); err != nil {
		t.Fatal(err)
	}
	moved := ada.copy().at(other)
	moved.cookies["__Host-other"] = ada.cookies[dataCookie]
	moved.expect("a record under another name", none, "", "")
}

// A sibling domain can plant cookies of our name. The right one is found by its seal.
func TestPlantedRecords(t *testing.T) {
	b := newSite(t, sojourn.Policy{}).browser()
	b.set("bread")
	good := b.cookies[dataCookie]
	b.cookies[dataCookie] = "planted; " + dataCookie + "=" + good // two cookies of one name
	b.expect("beside a planted one", active, "", "bread")
}

func TestKeyRotation(t *testing.T) {
	before := newSite(t, sojourn.Policy{}, key(1))
	adding := siteOver(t, before, nil, sojourn.Policy{}, key(1), key(2))
	active2 := siteOver(t, before, nil, sojourn.Policy{}, key(2), key(1))
	after := siteOver(t, before, nil, sojourn.Policy{}, key(2))
	b := before.browser()
	b.set("bread")
	b.at(adding).expect("while the new key is only known", active, "", "bread")
	b.at(active2).expect("while the new key seals", active, "", "bread")
	b.at(after).expect("without the key that sealed it", none, "", "")
	if !strings.Contains(after.log.String(), "key") {
		t.Errorf("nothing in the log says that a key is missing: %q", after.log.String())
	}
	b.at(active2).set("milk") // sealed anew
	b.at(before).expect("an old server that lacks the new key", none, "", "")
	b.at(after).expect("once it was sealed with the new key", active, "", "milk")
	if before.log.String() == "" {
		t.Error("nothing in the old server's log says that a key is missing")
	}
}

func TestNewRefuses(t *testing.T) {
	marks := memstore.New(nil)
	for _, c := range []struct {
		what  string
		keys  [][]byte
		marks sojourn.Store
		opt   *cookiestore.Options
		says  string
	}{
		{"no keys", nil, marks, nil, "keys"},
		{"a short key", [][]byte{key(1), key(2)[:31]}, marks, nil, "keys[1]"},
		{"a placeholder", [][]byte{bytes.Repeat([]byte("changeme"), 4)}, marks, nil, "keys[0]"},
		{"zeros", [][]byte{make([]byte, 32)}, marks, nil, "keys[0]"},
		{"a key twice", [][]byte{key(1), key(2), key(1)}, marks, nil, "keys[2]"},
		{"no revocations", [][]byte{key(1)}, nil, nil, "revocations"},
		{"a moment", [][]byte{key(1)}, marks, &cookiestore.Options{MaxAge: 1}, "MaxAge"},
		{"for ever", [][]byte{key(1)}, marks, &cookiestore.Options{MaxAge: 1000 * day}, "MaxAge"},
		{"a cookie that browsers drop", [][]byte{key(1)}, marks, &cookiestore.Options{Cookie: sojourn.Cookie{Name: "__Host-x", Path: "/app"}}, "Options.Cookie"},
	} {
		_, err := cookiestore.New(c.keys, c.marks, c.opt)
		if !errors.Is(err, sojourn.ErrInvalid) || !strings.Contains(err.Error(), c.says) || !strings.HasPrefix(err.Error(), "cookiestore: new: ") {
			t.Errorf("%s: error %v, expected ErrInvalid that names %s", c.what, err, c.says)
		}
	}
}
