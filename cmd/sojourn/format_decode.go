package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sojournhq/sojourn/format"
	"github.com/sojournhq/sojourn/internal/jsontree"
	"github.com/spf13/cobra"
)

func newFormatDecode() *cobra.Command {
	f := &formatFlags{}
	cmd := &cobra.Command{
		Use:   "decode --format NAME [--secret S]... [--cookie C] [--at UNIXTIME]",
		Short: "Say what the other system would make of a cookie and a record",
		Long: `Reads the stored record from standard input, and the cookie from --cookie, and
prints one JSON object:

  id       the session's ID, null if no cookie vouches for one
  valid    whether the other system would take it for a live session
  reason   why not: no_cookie, bad_signature, malformed, expired, not_found (there is
           no record on standard input), unsupported; null if valid
  key      the key of the record in the other system's store; null if the cookie is
           the record
  members  the application's members, null if they cannot be read or trusted
  expires  the deadline that is written in the record or cookie, RFC 3339 in UTC;
           null if there is none. A store's own deadline is not seen here.

The exit code is 0 for a valid session, 1 for one that the other system would
refuse, 2 for a wrong command line.

Where the cookie is the record (flask, and koa-session without a store), it may also
come from standard input. Without --cookie, a record is read by itself.

` + formatNames + "\n\n" + cookieForms,
		Example: `  redis-cli --raw get sess:VxgU9… | head -c -1 | sojourn format decode --format express --secret "keyboard cat" --cookie 's%3AVxgU9….sig'
  sojourn format decode --format flask --secret dev --cookie 'session=eyJ…' --at 1795229402
  sojourn format decode --format php < /var/lib/php/sessions/sess_0123456789abcdefghijklmnop`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return f.decode(cmd) },
	}
	f.add(cmd)
	cmd.Flags().StringArrayVar(&f.cookies, "cookie", nil, "the cookie, or a Cookie header; repeat it for several")
	complete(cmd, "cookie", nil)
	return cmd
}

// maxForeign bounds what is read from standard input.
const maxForeign = 16 << 20

// decoded is what is printed, in this order.
type decoded struct {
	ID      *string         `json:"id"`
	Valid   bool            `json:"valid"`
	Reason  *string         `json:"reason"`
	Key     *string         `json:"key"`
	Members json.RawMessage `json:"members"`
	Expires *string         `json:"expires"`
}

func (f *formatFlags) decode(cmd *cobra.Command) error {
	one, err := findFormat(f.format)
	if err != nil {
		return err
	}
	s, err := f.settings(cmd.Flags().Changed)
	if err != nil {
		return err
	}
	cookie := strings.Join(f.cookies, "; ")
	given := cmd.Flags().Changed("cookie")
	var record []byte
	if !given || !one.alone && !(one.name == "koa-session" && isRecord(cookie)) { // else there is none
		if record, err = input(cmd); err != nil {
			return err
		}
	}
	if one.alone && !given {
		cookie, given, record = strings.TrimSpace(string(record)), len(record) > 0, nil
	}
	if given && one.signed && !s.signed {
		return usage("--secret is missing: the cookie of %s is signed or encrypted", one.system)
	}
	r, err := one.inspect(s, cookie, given, record)
	if err != nil {
		return err
	}
	if err := printJSON(cmd.OutOrStdout(), asDecoded(r)); err != nil {
		return err
	}
	if !r.Valid {
		_, detail, _ := strings.Cut(r.Reason, ": ")
		return fmt.Errorf("%s would not take this session: %s", one.system, or(detail, r.Reason))
	}
	return nil
}

// input reads standard input; what a person could type into is empty.
func input(cmd *cobra.Command) ([]byte, error) {
	in := cmd.InOrStdin()
	if file, ok := in.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			return nil, nil
		}
	}
	record, err := io.ReadAll(io.LimitReader(in, maxForeign+1))
	if err != nil {
		return nil, fmt.Errorf("reading standard input: %w", err)
	}
	if len(record) > maxForeign {
		return nil, fmt.Errorf("standard input is longer than %d bytes", maxForeign)
	}
	return record, nil
}

// inspect reads a session. given tells whether there is a cookie.
func (one *foreignFormat) inspect(s formatSettings, cookie string, given bool, record []byte) (*format.Report, error) {
	cookie = strings.TrimSpace(cookie)
	if rest := cookie; len(rest) >= 7 && strings.EqualFold(rest[:7], "cookie:") {
		cookie = strings.TrimSpace(rest[7:])
	}
	if s.cookie.Name == "" {
		s.cookie.Name = cookieName(cookie, one.cookie)
	}
	if !s.signed {
		s.secrets = []string{"no secret was given"} // and no cookie that would need one
		if one.name == "aspnetcore" {
			s.secrets = nil
		}
	}
	s.alone = one.alone
	if one.name == "koa-session" {
		s.alone = len(record) == 0 && given && isRecord(cookie)
	}
	f, err := one.open(s)
	if err != nil {
		return nil, err
	}
	d := f.Describe()
	switch {
	case given && absent(cookie, s.cookie.Name):
		return &format.Report{Reason: format.NoCookie + ": there is no cookie " + s.cookie.Name}, nil
	case given:
		if len(record) == 0 && !emptyRecord(one.name) {
			record = nil
		}
		return format.Inspect(f, cookie, record, s.at)
	case d.InCookie:
		return &format.Report{Reason: format.NoCookie + ": no cookie is given"}, nil
	case len(record) == 0 && !emptyRecord(one.name):
		return &format.Report{Reason: format.NotFound + ": there is neither a cookie nor a record"}, nil
	}
	return format.InspectRecord(f, record, s.at), nil
}

// emptyRecord: PHP stores no bytes for a session without members.
func emptyRecord(name string) bool { return strings.HasPrefix(name, "php") || name == "igbinary" }

// isRecord reports whether a cookie of koa-session is a record and not a key.
func isRecord(cookie string) bool {
	for pair := range strings.SplitSeq(cookie, ";") {
		pair = strings.TrimSpace(pair)
		_, value, named := strings.Cut(pair, "=")
		if strings.HasPrefix(pair, "eyJ") || named && strings.HasPrefix(value, "eyJ") || strings.HasSuffix(pair, "e30=") || strings.HasSuffix(pair, "e30") {
			return true
		}
	}
	return false
}

var onePair = regexp.MustCompile(`^([A-Za-z0-9!#$&'*.^_|~+-]{1,64})=(.*[^=].*)$`)

// cookieName is the name of the session's cookie among those given: the default, or
// another if there is only one candidate.
func cookieName(cookie, name string) string {
	var names []string
	for pair := range strings.SplitSeq(cookie, ";") {
		m := onePair.FindStringSubmatch(strings.TrimSpace(pair))
		if m == nil {
			return name
		}
		if m[1] == name {
			return name
		}
		names = append(names, m[1])
	}
	switch {
	case len(names) == 1:
		return names[0]
	case len(names) == 2 && names[1] == names[0]+".sig":
		return names[0]
	case len(names) == 2 && names[0] == names[1]+".sig":
		return names[1]
	}
	return name
}

// absent reports whether a Cookie header has other cookies than that of the name.
func absent(cookie, name string) bool {
	pairs := strings.Split(cookie, ";")
	for _, pair := range pairs {
		m := onePair.FindStringSubmatch(strings.TrimSpace(pair))
		if m == nil && cookie != "" || m != nil && m[1] == name {
			return false
		}
	}
	return cookie == "" || len(pairs) > 1
}

func asDecoded(r *format.Report) decoded {
	text := func(s string) *string {
		if s == "" {
			return nil
		}
		return &s
	}
	d := decoded{ID: text(r.ID), Valid: r.Valid, Reason: text(format.Word(r.Reason)), Key: text(r.Key), Members: asMembers(r.Members)}
	if r.Key == "" { // the cookie is the record: it has no ID of its own
		d.ID = nil
	}
	if !r.Expires.IsZero() {
		d.Expires = text(r.Expires.UTC().Format(time.RFC3339Nano))
	}
	return d
}

// asMembers is a JSON object, in order; nil has none.
func asMembers(all []format.Member) json.RawMessage {
	if all == nil {
		return json.RawMessage("null")
	}
	out := []byte{'{'}
	for i, m := range all {
		if i > 0 {
			out = append(out, ',')
		}
		name := m.Key
		if !utf8.ValidString(name) {
			out = jsontree.AppendName(out, name)
		} else {
			out = jsontree.AppendString(out, name)
		}
		out = append(append(out, ':'), m.Value...)
	}
	return append(out, '}')
}

var errNoJSON = errors.New(`expected a JSON object as "sojourn format decode" prints it`)

// plainCookies is what a client sends after it was sent these cookies.
func plainCookies(lines []string) string {
	var pairs []string
	for _, line := range lines {
		if c, err := http.ParseSetCookie(line); err == nil && c.MaxAge >= 0 {
			pair, _, _ := strings.Cut(line, ";")
			pairs = append(pairs, pair)
		}
	}
	return strings.Join(pairs, "; ")
}
