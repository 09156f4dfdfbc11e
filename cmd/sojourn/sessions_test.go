package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/sqlstore"
)

// All of these work on the store of a server that runs.
func TestSessions(t *testing.T) {
	dir := t.TempDir()
	c := call{dir: dir}
	server := start(t, c)
	ada := newVisitor(server.url).login(t, "ada")
	phone := newVisitor(server.url).login(t, "ada")
	grace := newVisitor(server.url).login(t, "grace")
	ada.must(t, "POST", "/demo/cart", `{"item":"tea","quantity":2}`)

	list := func(owner string) []session {
		t.Helper()
		r := runCommand(t, c, "sessions", "list", "--json", "--owner", owner)
		r.want(t, 0)
		var all []session
		if err := json.Unmarshal([]byte(r.out), &all); err != nil {
			t.Fatalf("sessions list --json: %v\n%s", err, r.out)
		}
		return all
	}
	id := func(v *visitor) string {
		t.Helper()
		token, err := sojourn.ParseToken(v.token())
		if err != nil {
			t.Fatal(err)
		}
		return string(token.ID())
	}

	all := list("ada")
	if len(all) != 2 || all[0].Owner != "ada" || all[0].State != sojourn.StateActive || all[0].IP != "127.0.0.1" || all[0].Until.IsZero() {
		t.Errorf("sessions list --owner ada --json: %+v", all)
	}
	if all := list("nobody-here"); len(all) != 0 {
		t.Errorf("sessions of an unknown user: %+v", all)
	}
	r := runCommand(t, c, "sessions", "list", "--owner", "ada")
	r.want(t, 0, "ID  ", "OWNER", "SEEN", "EXPIRES", id(ada), id(phone), "in 29 min")
	if lines := strings.Split(strings.TrimSpace(r.out), "\n"); len(lines) != 3 || strings.Index(lines[0], "OWNER") != strings.Index(lines[1], "ada") {
		t.Errorf("the table is not aligned:\n%s", r.out)
	}
	r = runCommand(t, c, "sessions", "list", "--owner", "ada", "--limit", "1")
	r.want(t, 0, "There are more than 1")
	if strings.Count(r.out, "\n") != 2 {
		t.Errorf("--limit 1 shows:\n%s", r.out)
	}
	runCommand(t, c, "sessions", "list", "--owner", "nobody-here").want(t, 0, "No live sessions.")

	r = runCommand(t, c, "sessions", "show", id(ada))
	r.want(t, 0, "Owner", "ada", "active", "cart", "9 bytes")
	if strings.Contains(r.out, "tea") {
		t.Errorf("show without --data shows values:\n%s", r.out)
	}
	runCommand(t, c, "sessions", "show", id(ada), "--data").want(t, 0, `{"tea":2}`)
	runCommand(t, c, "sessions", "show", id(ada), "--data", "--json").want(t, 0, `"tea": 2`)

	runCommand(t, c, "sessions", "revoke", id(phone), "--reason", "device stolen").want(t, 0, "Ended "+id(phone)+" of ada.")
	if phone.state(t) != "ended" || ada.state(t) != "active" {
		t.Errorf("after revoke: %s and %s", phone.state(t), ada.state(t))
	}
	runCommand(t, c, "sessions", "revoke", id(phone)).want(t, 0, "had ended already: device stolen")
	runCommand(t, c, "sessions", "show", id(phone)).want(t, 0, "ended", "device stolen")

	ada2 := newVisitor(server.url).login(t, "ada")
	runCommand(t, c, "sessions", "revoke", "--owner", "ada", "--reason", "left").want(t, 0, "2 were live")
	if ada.state(t) != "ended" || ada2.state(t) != "ended" || grace.state(t) != "active" {
		t.Errorf("after revoke --owner: %s, %s and %s", ada.state(t), ada2.state(t), grace.state(t))
	}

	for _, v := range []*visitor{ada, phone, grace} {
		for _, args := range [][]string{{"sessions", "list", "--owner", "grace"}, {"sessions", "list", "--owner", "grace", "--json"}, {"sessions", "show", id(grace), "--data"}} {
			if r := runCommand(t, c, args...); strings.Contains(r.out+r.err, v.token()) || strings.Contains(r.out+r.err, v.token()[32:]) {
				t.Errorf("sojourn %v shows a token", args)
			}
		}
	}
}

func TestSessionsRefusals(t *testing.T) {
	c := call{dir: t.TempDir()}
	server := start(t, c)
	v := newVisitor(server.url).login(t, "ada")
	unknown := strings.Repeat("A", 30)
	for _, one := range []struct {
		args []string
		text string
	}{
		{[]string{"list", "--store", "memory:"}, "no other process can see them"},
		{[]string{"list", "--store", "sqlite:none.db"}, "there is no such file"},
		{[]string{"list", "--limit", "0"}, "expected at least 1"},
		{[]string{"show", "x"}, "is no session ID; expected the 30 characters"},
		{[]string{"show", unknown}, "there is no session"},
		{[]string{"revoke", unknown}, "there is no session"},
		{[]string{"revoke", unknown, "--reason", ""}, "1 to 64 characters"},
		{[]string{"show", v.token()}, "this is a token, not a session ID"},
	} {
		r := runCommand(t, c, append([]string{"sessions"}, one.args...)...)
		r.want(t, 1, one.text)
		if strings.Contains(r.err, v.token()) {
			t.Errorf("sojourn sessions %v prints the token", one.args)
		}
	}
}

// Everybody's sessions need a store that can be walked through.
func TestSessionsListEverybody(t *testing.T) {
	c := call{dir: t.TempDir()}
	server := start(t, c)
	ada, grace := newVisitor(server.url).login(t, "ada"), newVisitor(server.url).login(t, "grace")
	anonymous := newVisitor(server.url)
	anonymous.must(t, "POST", "/demo/visit", "{}")
	newVisitor(server.url).login(t, "linus").must(t, "DELETE", "/_session/v1/", "")

	store, err := sqlstore.OpenSQLite(t.Context(), filepath.Join(c.dir, "sojourn.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	r := runCommand(t, c, "sessions", "list")
	if _, ok := sojourn.As[scanner](store); !ok {
		r.want(t, 1, "name a user, as in --owner ada")
		return
	}
	for _, v := range []*visitor{ada, grace, anonymous} {
		token, err := sojourn.ParseToken(v.token())
		if err != nil {
			t.Fatal(err)
		}
		r.want(t, 0, string(token.ID()))
	}
	if strings.Contains(r.out, "linus") {
		t.Errorf("an ended session is listed:\n%s", r.out)
	}
	runCommand(t, c, "sessions", "list", "--limit", "2").want(t, 0, "There are more than 2")
}
