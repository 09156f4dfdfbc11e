package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn"
)

func TestRedact(t *testing.T) {
	for text, want := range map[string]string{
		"sqlite:sojourn.db":                              "sqlite:sojourn.db",
		"sqlite:/tmp/a@b:c.db":                           "sqlite:/tmp/a@b:c.db",
		"memory:":                                        "memory:",
		"sojourn.db":                                     "sojourn.db",
		"redis://localhost:6379/0":                       "redis://localhost:6379/0",
		"redis://app:s3cret@localhost:6379/0":            "redis://app:xxxxx@localhost:6379/0",
		"redis://:s3cret@localhost":                      "redis://:xxxxx@localhost",
		"redis://app@localhost":                          "redis://app@localhost",
		"redis://app:s3@cr/e?t#@localhost":               "redis://app:xxxxx@localhost",
		"rediss+cluster://app:s3cret@a:1,b:2":            "rediss+cluster://app:xxxxx@a:1,b:2",
		"redis+sentinel://a:1/m?sentinel-password=s3cr":  "redis+sentinel://a:1/m?sentinel-password=xxxxx",
		"postgres://app:s3cret@db/app?sslmode=require":   "postgres://app:xxxxx@db/app?sslmode=require",
		"postgres://db/app?user=app&password=s3cret&a=b": "postgres://db/app?user=app&password=xxxxx&a=b",
		"mysql:app:s3cret@tcp(db)/app":                   "mysql:app:xxxxx@tcp(db)/app",
		"mysql://app:%73ecret@db/app":                    "mysql://app:xxxxx@db/app",
		"nonsense:app:s3cret@x":                          "nonsense:app:xxxxx@x",
	} {
		if got := redact(text); got != want {
			t.Errorf("redact(%q) is %q, want %q", text, got, want)
		}
	}
}

// A driver's error may quote the URL, or the password it was taken apart to.
func TestRefusalsKeepSecrets(t *testing.T) {
	ref := storeRef{flag: "--store", url: "redis://app:p%40ss%2Fword@localhost/0?sentinel-password=second"}
	err := ref.refuse(errors.Join(sojourn.ErrInvalid, errors.New(`parse "`+ref.url+`": password "p@ss/word" refused, and second`)))
	for _, secret := range []string{"p%40ss%2Fword", "p@ss/word", "second"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%q shows %q", err, secret)
		}
	}
	if !errors.Is(err, sojourn.ErrInvalid) {
		t.Error("the cause is lost")
	}
}

// No command shows a password, whatever is wrong.
func TestCommandsKeepPasswords(t *testing.T) {
	for _, url := range []string{"redis://app:s3cret-word@127.0.0.1:1/0", "postgres://app:s3cret-word@127.0.0.1:1/app", "mysql://app:s3cret-word@127.0.0.1:1/app",
		"memcached://app:s3cret-word@127.0.0.1:1", "nonsense://app:s3cret-word@127.0.0.1:1", "redis://app:s3cret-word@127.0.0.1:1:2:3/%zz"} {
		for _, args := range [][]string{
			{"serve", "--listen", "127.0.0.1:0", "--store", url}, {"serve", "--listen", "127.0.0.1:0", "--store", "memory:", "--store-from", url},
			{"sessions", "list", "--store", url}, {"doctor", "--store", url}, {"doctor", "--json", "--store", url},
			{"migrate", "--from", url, "--to", "sqlite:new.db"}, {"migrate", "--from", "sqlite:old.db", "--to", url}, {"migrate", "--from", url, "--to", url},
		} {
			r := runCommand(t, call{}, args...)
			if r.code == 0 || strings.Contains(r.out+r.err, "s3cret") {
				t.Errorf("sojourn %s: code %d\n%s%s", strings.Join(args, " "), r.code, r.out, r.err)
			}
			env := []string{"SOJOURN_STORE=" + url, "SOJOURN_FROM=" + url, "SOJOURN_TO=" + url}
			if r := runCommand(t, call{env: env}, args[0], "--help"); strings.Contains(r.out+r.err, "s3cret") {
				t.Errorf("sojourn %s --help shows the environment's password", args[0])
			}
		}
	}
}
