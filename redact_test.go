package sojourn_test

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn"
)

// leaks reports whether text holds the secret of a token in any form that a
// formatter gives bytes: as the cookie has it, hex, Go syntax, decimal, raw.
func leaks(token, text string) string {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		panic(err)
	}
	const part = 6 // bytes in a row: no chance hit
	secret := raw[22:]
	lower := strings.ToLower(text)
	for i := 0; i+part <= len(secret); i++ {
		b := secret[i : i+part]
		spaced := fmt.Sprintf("% x", b)
		for form, want := range map[string]string{
			"decimal": strings.Trim(fmt.Sprint(b), "[]"),
			"commas":  strings.ReplaceAll(strings.Trim(fmt.Sprint(b), "[]"), " ", ","),
			"hex":     hex.EncodeToString(b),
			"spaced":  spaced,
			"Go":      strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", b), "[]byte{"), "}")),
			"octal":   strings.Trim(fmt.Sprintf("%o", b), "[]"),
			"binary":  strings.Trim(fmt.Sprintf("%b", b), "[]"),
			"unicode": strings.ToLower(strings.Trim(fmt.Sprintf("%U", b), "[]")),
		} {
			if strings.Contains(lower, want) {
				return form
			}
		}
		if strings.Contains(text, string(b)) {
			return "raw"
		}
	}
	if strings.Contains(text, token[len(token)-12:]) || strings.Contains(text, token[30:44]) {
		return "cookie"
	}
	return ""
}

// The detector must see what it is for.
func TestLeaksDetects(t *testing.T) {
	_, token := newSite(t, nil).begun()
	raw, _ := base64.RawURLEncoding.DecodeString(token)
	secret := [20]byte(raw[22:])
	for _, text := range []string{
		token, "x" + token[20:] + "y", string(raw), fmt.Sprint(secret), fmt.Sprintf("%v", secret[3:]), fmt.Sprintf("%#v", secret),
		fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret), fmt.Sprintf("% x", secret), fmt.Sprintf("%o", secret), fmt.Sprintf("%b", secret), fmt.Sprintf("%U", secret),
	} {
		if leaks(token, text) == "" {
			t.Errorf("not seen in %q", text)
		}
	}
	if form := leaks(token, token[:28]+fmt.Sprint(raw[:22])); form != "" {
		t.Errorf("the ID was taken for the secret: %s", form)
	}
}

// tokenAndSession are one live session, with the secret in memory.
func tokenAndSession(t *testing.T) (sojourn.Token, *sojourn.Session) {
	t.Helper()
	session, token, err := newSite(t, nil).m.Create(t.Context(), "ada")
	if err != nil {
		t.Fatal(err)
	}
	return token, session
}

type exported struct {
	Token   sojourn.Token
	Pointer *sojourn.Token
	Any     any
	List    []sojourn.Token
	Map     map[string]sojourn.Token
	Session *sojourn.Session
}

type unexported struct {
	token   sojourn.Token
	list    []sojourn.Token
	session *sojourn.Session
	inner   struct{ token sojourn.Token }
}

var verbs = []string{"%v", "%+v", "%#v", "%s", "%q", "%+q", "%#q", "%x", "% x", "%#x", "%X", "%d", "%o", "%O", "%b", "%c", "%U", "%e", "%f", "%g", "%t", "%T", "%p", "%w", "%z", "%10v", "%-80.60s", "%!"}

func holders(token sojourn.Token, session *sojourn.Session) map[string]any {
	e := exported{token, &token, token, []sojourn.Token{token}, map[string]sojourn.Token{"a": token}, session}
	return map[string]any{
		"token": token, "*token": &token, "session": session, "slice": e.List, "map": e.Map, "as key": map[sojourn.Token]int{token: 1},
		"struct": e, "*struct": &e, "any": []any{token, session, e}, "array": [1]sojourn.Token{token},
	}
}

func TestRedactFormat(t *testing.T) {
	token, session := tokenAndSession(t)
	for name, v := range holders(token, session) {
		for _, verb := range verbs {
			if verb == "%p" || verb == "%w" || verb == "%!" {
				continue // which call no method: see TestRedactBeyondMethods
			}
			if form := leaks(token.Reveal(), fmt.Sprintf(verb, v)); form != "" {
				t.Errorf("%s by %s prints the secret (%s)", name, verb, form)
			}
		}
		for how, text := range map[string]string{"Sprint": fmt.Sprint(v), "Sprintln": fmt.Sprintln(v, v), "Errorf": fmt.Errorf("x: %v", v).Error()} {
			if form := leaks(token.Reveal(), text); form != "" {
				t.Errorf("%s by %s prints the secret (%s)", name, how, form)
			}
		}
	}
	if got, want := fmt.Sprintf("%v %s %#v", token, &token, token), strings.Repeat(" "+string(token.ID())+"…", 3)[1:]; got != want {
		t.Errorf("masked form %q, expected %q", got, want)
	}
	if got, want := fmt.Sprintf("%+v", session), "session("+string(token.ID())+")"; got != want {
		t.Errorf("session prints %q, expected %q", got, want)
	}
}

// Package fmt calls no methods on unexported fields, and none for %p, %w and
// verbs on bad arguments: the secret must not be a value that it can print.
func TestRedactBeyondMethods(t *testing.T) {
	token, session := tokenAndSession(t)
	u := unexported{token: token, list: []sojourn.Token{token}, session: session}
	u.inner.token = token
	values := holders(token, session)
	values["unexported"], values["*unexported"], values["deep"] = u, &u, map[string]any{"a": []unexported{u}}
	for name, v := range values {
		var by []string
		for _, verb := range verbs {
			if leaks(token.Reveal(), fmt.Sprintf(verb, v)) != "" {
				by = append(by, verb)
			}
		}
		if by != nil {
			t.Errorf("%s prints the secret by %s", name, strings.Join(by, " "))
		}
	}
}

func TestRedactLogsAndEncoders(t *testing.T) {
	token, session := tokenAndSession(t)
	for name, v := range holders(token, session) {
		var out bytes.Buffer
		options := &slog.HandlerOptions{Level: slog.LevelDebug, AddSource: true}
		for _, h := range []slog.Handler{slog.NewTextHandler(&out, options), slog.NewJSONHandler(&out, options)} {
			l := slog.New(h)
			l.Info("message", "value", v)
			l.With("value", v).WithGroup("g").Debug("message", slog.Any("other", v), slog.Group("h", "v", v))
			l.Error(fmt.Sprint(v), "error", fmt.Errorf("failed for %v", v))
		}
		if b, err := json.Marshal(v); err == nil {
			out.Write(b)
		}
		if b, err := xml.Marshal(v); err == nil {
			out.Write(b)
		}
		_ = gob.NewEncoder(&out).Encode(v)
		if form := leaks(token.Reveal(), out.String()); form != "" {
			t.Errorf("%s: the secret was written (%s)", name, form)
		}
	}
	if b, err := json.Marshal(token); err != nil || string(b) != `"`+string(token.ID())+`…"` {
		t.Errorf("%s %v", b, err)
	}
	//lint:ignore SA9005 that nothing is exported is what is tested
	if b, err := json.Marshal(session); err != nil || string(b) != "{}" {
		t.Errorf("%s %v", b, err)
	}
}

// No error holds the text it was given, nor a member's value.
func TestRedactErrors(t *testing.T) {
	s := newSite(t, nil)
	_, token := s.begun()
	for _, bad := range []string{token + "x", token[:55], token[:55] + "=", " " + token} {
		_, err1 := sojourn.ParseToken(bad)
		_, err2 := s.m.Authenticate(t.Context(), bad)
		if text := fmt.Sprint(err1, err2); err1 == nil || err2 == nil || leaks(token, text) != "" {
			t.Errorf("%s", text)
		}
	}
	const canary = "4111111111111111"
	s.mux.HandleFunc("/page", func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		sojourn.Key[map[string]any]("card").Set(ctx, map[string]any{"number": 4111111111111111, "text": canary, "nested": map[string]any{"number": "x" + canary}})
		sojourn.Key[string]("text").Set(ctx, canary)
		sojourn.Key[float64]("float").Set(ctx, 4111111111111111.5)
		_, err1 := sojourn.Key[int]("text").Get(ctx)
		_, err2 := sojourn.Key[struct {
			Number int8 `json:"number"`
		}]("card").Get(ctx)
		_, err3 := sojourn.Key[struct {
			Text int `json:"text"`
		}]("card").Get(ctx)
		_, err4 := sojourn.Key[int]("float").Get(ctx)
		_, err5 := sojourn.Counter("text").Add(ctx, 1)
		_, err6 := sojourn.Fields[struct {
			Card struct {
				Number int8 `json:"number"`
			} `json:"card"`
		}]{}.Load(ctx)
		_, err7 := sojourn.Key[map[string]map[string]int8]("card").Get(ctx)
		for i, err := range []error{err1, err2, err3, err4, err5, err6, err7} {
			if !errors.Is(err, sojourn.ErrType) || strings.Contains(fmt.Sprint(err), canary) {
				t.Errorf("error %d: %v", i+1, err)
			}
		}
	})
	s.exchange("GET", "/page")
}

// Neither answers nor events nor logs of a whole life hold the secret.
func TestRedactCanary(t *testing.T) {
	var out bytes.Buffer
	s := newSite(t, &sojourn.Options{Logger: slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	_, token := s.begun()
	mine := cookies("__Host-sojourn=" + token)
	stale := token[:30] + strings.Repeat("A", 26)
	var text strings.Builder
	for _, path := range []string{"/get/k", "/set/k/w", "/add", "/status", "/owner", "/plain", "/login/ada", "/get/k", "/logout"} {
		a := s.exchange("GET", path, mine)
		fmt.Fprint(&text, a.body, a.header["Location"], a.header["Vary"])
		s.exchange("GET", path, cookies("__Host-sojourn="+stale))
	}
	for _, e := range s.events.all {
		fmt.Fprintf(&text, "%+v %#v", e, e)
	}
	for _, r := range s.store.Store.(*mapStore).recs {
		fmt.Fprintf(&text, "%s %v %x %s", r.Payload, r.Payload, r.Payload, r.ID)
	}
	if out.Len() == 0 || len(s.events.all) == 0 {
		t.Fatal("nothing was logged")
	}
	if form := leaks(token, text.String()+out.String()); form != "" {
		t.Errorf("the secret got out (%s)", form)
	}
}
