package main

import (
	"strings"
	"testing"

	"github.com/sojournhq/sojourn"
)

func TestTokenInspect(t *testing.T) {
	c := call{dir: t.TempDir()}
	server := start(t, c)
	v := newVisitor(server.url).login(t, "ada")
	token, err := sojourn.ParseToken(v.token())
	if err != nil {
		t.Fatal(err)
	}
	id := string(token.ID())
	secret := v.token()[32:] // all but the characters that also hold bits of the ID

	inspect := func(stdin string, args ...string) result {
		t.Helper()
		r := runCommand(t, call{dir: c.dir, stdin: stdin}, append([]string{"token", "inspect"}, args...)...)
		if strings.Contains(r.out+r.err, secret) {
			t.Errorf("token inspect %v prints the secret", args)
		}
		return r
	}

	inspect(v.token()+"\n").want(t, 0, "Well-formed", id)
	inspect(v.token(), "-").want(t, 0, "Well-formed", id)
	inspect("Cookie: theme=dark\n").want(t, 1, "this is no token of ours")
	inspect(v.cookie+"; Path=/; HttpOnly\n").want(t, 0, id)
	inspect("Cookie: theme=dark; "+v.cookie+"\n").want(t, 0, id)
	inspect("", v.token()).want(t, 0, id, "shell's history")
	inspect("").want(t, 1, "was given no token")
	inspect(v.token()[:55]).want(t, 1, "56 characters")
	inspect(v.token(), "--owner", "ada").want(t, 0, "matches ada")
	inspect(v.token(), "--owner", "grace").want(t, 0, "does not match grace")

	store := "sqlite:sojourn.db"
	inspect(v.token(), "--store", store).want(t, 0, "lives; owner ada", "the secret is right")
	inspect(id[:28]+"A"+v.token()[29:], "--store", store).want(t, 0, "unknown to this store")
	inspect(v.token()[:55]+flip(v.token()[55]), "--store", store).want(t, 0, "the secret is wrong")
	v.must(t, "DELETE", "/_session/v1/", "")
	inspect(token.Reveal(), "--store", store).want(t, 0, "ended: logout")
}

// flip gives another character of base64url.
func flip(c byte) string {
	if c == 'A' {
		return "B"
	}
	return "A"
}
