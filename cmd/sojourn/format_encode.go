package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/format"
	"github.com/sojournhq/sojourn/internal/rawjson"
	"github.com/spf13/cobra"
)

func newFormatEncode() *cobra.Command {
	f := &formatFlags{}
	var output, form string
	cmd := &cobra.Command{
		Use:   "encode --format NAME [--secret S]... [--at UNIXTIME]",
		Short: "Write a session as the other system does",
		Long: `Reads a JSON object as "sojourn format decode" prints it from standard input, and
writes the session in the other system's form. Of the object, these count:

  id       the session's ID; absent or null: a new one is drawn
  members  the application's members
  expires  the deadline, RFC 3339; absent or null: as the other system would set it

What is written to standard output, --output says:

  record   the bytes to be stored, and nothing else (no newline either)
  cookie   what a client sends: "name=value", and "; name.sig=value" for Koa
  json     an object: id, key, cookie, set_cookie (a list), record (in base64, null
           if the cookie is the record)

The default is record, and cookie where that is the record (flask). koa-session
writes a record unless --output cookie is given: that is its mode without a store.
--at is the time that a cookie or record is written with. flask-session writes a
pickle, which every version reads; --form msgpack and --form json are for 0.8.

What the other system cannot hold is refused with exit code 1, naming key and type;
a wrong command line has exit code 2.

` + formatNames,
		Example: `  echo '{"id":"abc","members":{"user":{"id":42}}}' | sojourn format encode --format express | redis-cli -x set sess:abc ex 86400
  echo '{"id":"abc"}' | sojourn format encode --format express --secret "keyboard cat" --output cookie
  echo '{"members":{"role":"admin"}}' | sojourn format encode --format flask --secret dev`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return f.encode(cmd, output, form) },
	}
	f.add(cmd)
	cmd.Flags().StringVar(&output, "output", "", "record, cookie or json")
	cmd.Flags().StringVar(&form, "form", "pickle", "flask-session: pickle, msgpack or json")
	complete(cmd, "form", []cobra.Completion{"pickle", "msgpack", "json"})
	complete(cmd, "output", []cobra.Completion{"record", "cookie", "json"})
	return cmd
}

// given is what encode reads.
type given struct {
	ID      *string         `json:"id"`
	Members json.RawMessage `json:"members"`
	Expires *time.Time      `json:"expires"`
}

// written is what encode prints with --output json.
type written struct {
	ID        string   `json:"id"`
	Key       *string  `json:"key"`
	Cookie    *string  `json:"cookie"`
	SetCookie []string `json:"set_cookie"`
	Record    []byte   `json:"record"`
}

func (f *formatFlags) encode(cmd *cobra.Command, output, form string) error {
	one, err := findFormat(f.format)
	if err != nil {
		return err
	}
	s, err := f.settings(cmd.Flags().Changed)
	if err != nil {
		return err
	}
	if s.form = form; form != "pickle" && form != "msgpack" && form != "json" {
		return usage("--form %q: expected pickle, msgpack or json", form)
	}
	switch output {
	case "":
		if output = "record"; one.alone {
			output = "cookie"
		}
	case "record", "cookie", "json":
	default:
		return usage("--output %q: expected record, cookie or json", output)
	}
	if output == "record" && one.alone {
		return usage("--output record: the cookie of %s is its record", one.system)
	}
	if output == "cookie" && one.signed && !s.signed {
		return usage("--secret is missing: the cookie of %s is signed or encrypted", one.system)
	}
	text, err := input(cmd)
	if err != nil {
		return err
	}
	w, err := one.write(s, text, output == "cookie")
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	switch output {
	case "record":
		_, err = out.Write(w.Record)
		return err
	case "cookie":
		_, err = fmt.Fprintln(out, *w.Cookie)
		return err
	}
	return printJSON(out, w)
}

// write makes a session of JSON.
func (one *foreignFormat) write(s formatSettings, text []byte, cookieOnly bool) (*written, error) {
	var g given
	if err := json.Unmarshal(text, &g); err != nil || len(text) == 0 {
		return nil, fmt.Errorf("standard input: %w: %w", errNoJSON, err)
	}
	var members rawjson.Object
	if len(g.Members) > 0 && string(g.Members) != "null" {
		var err error
		if members, err = rawjson.Parse(g.Members); err != nil {
			return nil, fmt.Errorf("standard input: members: %w: %w", errNoJSON, err)
		}
	}
	signs := s.signed || !one.signed
	if !s.signed && one.name != "aspnetcore" {
		s.secrets = []string{"no secret was given"}
	}
	s.alone = one.alone || one.name == "koa-session" && cookieOnly
	if g.Expires != nil {
		if s.expires = *g.Expires; !s.expires.After(s.at) {
			return nil, fmt.Errorf("standard input: expires is %s: expected a time after %s", g.Expires.Format(time.RFC3339), s.at.UTC().Format(time.RFC3339))
		}
	}
	f, err := one.open(s)
	if err != nil {
		return nil, err
	}
	d := f.Describe()
	e := &format.Edit{Now: s.at, Expires: s.expires}
	if e.Expires.IsZero() {
		if e.Expires = s.at.Add(d.Life); one.name == "flask" {
			e.Expires = e.Expires.Add(time.Second) // signed now; else it is a second early
		}
	}
	for _, m := range members {
		one := format.Member{Key: m.Key, Value: m.Value}
		if err := f.Check(one.Key, one.Value); err != nil {
			return nil, cannotHold(err)
		}
		e.Set = append(e.Set, one)
	}
	w := &written{ID: f.NewID()}
	if g.ID != nil && *g.ID != "" {
		w.ID = *g.ID
	}
	if w.Record, err = f.Encode(nil, e); err != nil {
		return nil, cannotHold(err)
	}
	o := &format.Outgoing{ID: w.ID, Life: d.CookieLife, Expires: e.Expires, Now: s.at}
	if d.InCookie {
		o.Record, w.Record = w.Record, nil
	} else {
		key := f.Key(w.ID)
		w.Key = &key
	}
	if !signs {
		return w, nil
	}
	if w.SetCookie, err = f.WriteCookies(o); err != nil {
		return nil, cannotHold(err)
	}
	cookie := plainCookies(w.SetCookie)
	w.Cookie = &cookie
	return w, nil
}

// cannotHold leaves the sentinel's text out, which speaks of stores.
func cannotHold(err error) error {
	if errors.Is(err, sojourn.ErrUnsupported) {
		return errors.New("the other system cannot hold this: " + strings.ReplaceAll(err.Error(), sojourn.ErrUnsupported.Error()+": ", ""))
	}
	return err
}
