package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/internal/testenv"
)

// Cookies and records of the real applications are decoded, and they take what is
// encoded.
func TestFormatPeers(t *testing.T) {
	r := testenv.StartRedis(t, nil)
	redis := "REDIS_URL=redis://" + r.Addr
	sessions := t.TempDir()
	php := func(handler string) func(*testing.T) string {
		return func(t *testing.T) string {
			return testenv.StartPHP(t, "session.save_handler=redis", "session.save_path=tcp://"+r.Addr, "session.serialize_handler="+handler).URL
		}
	}
	node := func(script string, env ...string) func(*testing.T) string {
		return func(t *testing.T) string {
			return testenv.StartNode(t, script, append(env, "SECRETS=new key,old key")...).URL
		}
	}
	for _, c := range []struct {
		name, format string
		start        func(*testing.T) string
		args         []string
		user         string // the member that has the user
	}{
		{"express", "express", node("express.js", redis), []string{"--secret", "new key"}, "passport"},
		{"koa-session in a cookie", "koa-session", node("koa.js"), []string{"--secret", "new key"}, "user"},
		{"koa-session in a store", "koa-session", node("koa.js", redis), []string{"--secret", "new key"}, "user"},
		{"koa-generic", "koa-generic", node("koa.js", redis, "MODE=generic"), []string{"--secret", "new key"}, "user"},
		{"flask", "flask", func(t *testing.T) string { return testenv.StartFlask(t, "SECRETS=new key").URL }, []string{"--secret", "new key"}, "_user_id"},
		{"flask-session", "flask-session", func(t *testing.T) string { return testenv.StartFlask(t, "SECRETS=new key", redis).URL }, nil, "_user_id"},
		{"flask-session, signed", "flask-session", func(t *testing.T) string { return testenv.StartFlask(t, "SECRETS=new key", redis, "SIGNED=1").URL }, []string{"--secret", "new key"}, "_user_id"},
		{"php", "php", php("php"), nil, "user_id"},
		{"php_serialize", "php_serialize", php("php_serialize"), nil, "user_id"},
		{"php_binary", "php_binary", php("php_binary"), nil, "user_id"},
		{"igbinary", "igbinary", php("igbinary"), nil, "user_id"},
		{"php with files", "php", func(t *testing.T) string { return testenv.StartPHP(t, "session.save_path="+sessions).URL }, []string{"--prefix", "sess_"}, "user_id"},
	} {
		t.Run(c.name, func(t *testing.T) {
			app := c.start(t)
			jar, err := cookiejar.New(nil)
			if err != nil {
				t.Fatal(err)
			}
			b := &http.Client{Jar: jar}
			do := func(method, path, body string) string {
				req, err := http.NewRequest(method, app+path, strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				resp, err := b.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				text, err := io.ReadAll(resp.Body)
				if err != nil || resp.StatusCode != 200 {
					t.Fatalf("%s %s: %s %s (%v)", method, path, resp.Status, text, err)
				}
				return string(text)
			}
			const cart = `{"tea":[1,2.5,"żółć",null,true]}`
			do("POST", "/set?key=cart", cart)
			do("POST", "/login?user=ada", "")
			u, _ := url.Parse(app)
			var pairs []string
			for _, cookie := range jar.Cookies(u) {
				pairs = append(pairs, cookie.Name+"="+cookie.Value)
			}
			args := append([]string{"--format", c.format, "--cookie", strings.Join(pairs, "; ")}, c.args...)

			first, _ := decode(t, "", args...)
			record := ""
			if first.Key != nil {
				if c.args == nil || c.args[0] != "--prefix" {
					record, _ = r.Do("GET", *first.Key).(string)
				} else {
					file, err := os.ReadFile(filepath.Join(sessions, *first.Key))
					if err != nil {
						t.Fatal(err)
					}
					record = string(file)
				}
				if record == "" {
					t.Fatalf("there is nothing under %s", *first.Key)
				}
			}
			s, said := decode(t, record, args...)
			var member string
			json.Unmarshal(s.Members[c.user], &member)
			if raw := string(s.Members[c.user]); !s.Valid || member != "ada" && !strings.Contains(raw, `"ada"`) || compact(string(s.Members["cart"])) != cart || len(s.Members) != 2 {
				t.Errorf("decoded %s", said.out)
			}

			// Another session of the same user, made here.
			in := `{"members":{"cart":["encoded"],"` + c.user + `":` + string(s.Members[c.user]) + `}}`
			output := "json"
			if c.name == "koa-session in a cookie" {
				output = "cookie"
			}
			encoded := runCommand(t, call{stdin: in}, append([]string{"format", "encode", "--format", c.format, "--output", output}, c.args...)...)
			var w written
			if output == "cookie" {
				cookie := strings.TrimSpace(encoded.out)
				w.Cookie = &cookie
			} else if err := json.Unmarshal([]byte(encoded.out), &w); err != nil {
				t.Fatalf("%v: %s%s", err, encoded.out, encoded.err)
			}
			if w.Key != nil && (c.args == nil || c.args[0] != "--prefix") {
				r.Do("SET", *w.Key, string(w.Record), "EX", "600")
			} else if w.Key != nil {
				if err := os.WriteFile(filepath.Join(sessions, *w.Key), w.Record, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			b = &http.Client{Transport: sends(*w.Cookie)}
			if got := do("GET", "/session", ""); !strings.Contains(compact(got), `"user":"ada"`) || !strings.Contains(compact(got), `"cart":["encoded"]`) {
				t.Errorf("with %s the application says %s", *w.Cookie, got)
			}
		})
	}
}

func compact(text string) string {
	return strings.NewReplacer(" ", "", "\n", "", `\u017c`, "ż", `\u00f3`, "ó", `\u0142`, "ł", `\u0107`, "ć").Replace(text)
}

// sends is a client with one Cookie header.
type sends string

func (c sends) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Header.Set("Cookie", string(c))
	return http.DefaultTransport.RoundTrip(r)
}
