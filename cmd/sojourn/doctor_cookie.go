package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/sojournhq/sojourn/format"
	"github.com/spf13/cobra"
)

func newDoctorCookie() *cobra.Command {
	f := &formatFlags{}
	var store string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "cookie --cookie C [--format NAME] [--secret S]... [--store URL]",
		Short: "Find out what a cookie of another system is, and what is wrong with it",
		Long: `Takes a real cookie of Express, Koa, Flask, PHP or ASP.NET Core and says which
system and which of the secrets fit, under which key the session is stored, what it
holds, and what is wrong. Without --format, all of them are tried.

With --store, the record is read too, and for PHP the handler is found out. Nothing
is changed. A store is one of

  redis://[user:password@]host[:port][/db]    memcached://host:port    file:FOLDER

The exit code is 0 if the other system would take the session, 1 if not, 2 for a
wrong command line.

` + cookieForms,
		Example: `  sojourn doctor cookie --cookie 'connect.sid=s%3AVxgU9….sig' --secret "keyboard cat" --store redis://localhost
  sojourn doctor cookie --format flask --cookie eyJ… --secret dev`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.diagnose(cmd, store, asJSON)
		},
	}
	f.add(cmd)
	cmd.Flags().StringArrayVar(&f.cookies, "cookie", nil, "the cookie, or a Cookie header; repeat it for several")
	cmd.Flags().StringVar(&store, "store", "", "the other system's store, as a `URL`")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print as a JSON object")
	complete(cmd, "cookie", nil)
	err := cmd.RegisterFlagCompletionFunc("store", cobra.FixedCompletions([]cobra.Completion{"redis://", "memcached://", "file:"}, cobra.ShellCompDirectiveNoSpace))
	if err != nil {
		panic(err) // the flag does not exist
	}
	return cmd
}

// A suspect is a format that a cookie may be of.
type suspect struct {
	one     *foreignFormat
	format  format.Format
	report  *format.Report
	looks   bool   // by its shape
	trimmed bool   // a secret fits without the spaces around it
	record  []byte // from the store
	sure    int
}

// diagnosis is what "doctor cookie --json" prints. Fields are added, never renamed.
type diagnosis struct {
	Format string    `json:"format"`
	Valid  bool      `json:"valid"`
	Secret *int      `json:"secret"` // which one fits, from 1
	Checks []finding `json:"checks"`
	decoded
}

func (f *formatFlags) diagnose(cmd *cobra.Command, storeURL string, asJSON bool) error {
	s, err := f.settings(cmd.Flags().Changed)
	if err != nil {
		return err
	}
	cookie := strings.TrimSpace(strings.Join(f.cookies, "; "))
	if cookie == "" {
		return usage("--cookie is missing: expected a cookie as a browser sends it")
	}
	all := foreignFormats
	if f.format != "" {
		one, err := findFormat(f.format)
		if err != nil {
			return err
		}
		all = []foreignFormat{*one}
	}
	var store *foreignStore
	if storeURL != "" {
		if store, err = openForeign(storeURL); err != nil {
			return err
		}
		defer store.close()
	}
	var found []suspect
	for i := range all {
		one, err := suspectOf(&all[i], s, cookie)
		if err != nil && f.format != "" {
			return err
		}
		if err == nil {
			found = append(found, one)
		}
	}
	for i := range found {
		if store != nil {
			if err := found[i].load(cmd.Context(), store, s); err != nil {
				return fmt.Errorf("--store: %w", err)
			}
		}
		found[i].judge(cookie)
	}
	slices.SortStableFunc(found, func(a, b suspect) int { return b.sure - a.sure })
	if len(found) == 0 {
		return fmt.Errorf("no format can be tried without more: see --secret")
	}
	best := found[0]
	checks := best.findings(s, cookie, f.format != "", storeURL != "")
	if asJSON {
		d := diagnosis{Format: best.one.name, Valid: best.report.Valid, Checks: checks, decoded: asDecoded(best.report)}
		d.decoded.Valid = d.Valid
		if n := best.report.Secret + 1; n > 0 {
			d.Secret = &n
		}
		if err := printJSON(cmd.OutOrStdout(), d); err != nil {
			return err
		}
	} else {
		for _, c := range checks {
			c.print(cmd.OutOrStdout())
		}
	}
	if !best.report.Valid {
		return fmt.Errorf("%s would not take this session", best.one.system)
	}
	return nil
}

// suspectOf tries one format.
func suspectOf(one *foreignFormat, s formatSettings, cookie string) (suspect, error) {
	p := suspect{one: one, looks: shaped(one.name, cookie)}
	var err error
	if s.cookie.Name == "" {
		s.cookie.Name = cookieName(cookie, one.cookie)
	}
	try := func(secrets []string) (format.Format, *format.Report, error) {
		t := s
		if t.secrets = secrets; len(secrets) == 0 {
			t.secrets = []string{"no secret was given"}
		}
		if t.alone = one.alone || one.name == "koa-session" && isRecord(cookie); one.name == "aspnetcore" && len(secrets) == 0 {
			t.secrets = nil
		}
		f, err := one.open(t)
		if err != nil {
			return nil, nil, err
		}
		r, err := format.Inspect(f, cookie, nil, t.at)
		return f, r, err
	}
	if p.format, p.report, err = try(s.secrets); err != nil {
		return p, err
	}
	if p.report.Secret < 0 && format.Word(p.report.Reason) == format.BadSignature && one.name != "aspnetcore" {
		var bare []string
		for _, secret := range s.secrets {
			bare = append(bare, strings.Trim(secret, " \t\r\n\"'"))
		}
		if !slices.Equal(bare, s.secrets) && !slices.Contains(bare, "") {
			if _, r, err := try(bare); err == nil && r.Secret >= 0 {
				p.trimmed = true
			}
		}
	}
	return p, nil
}

var shapes = map[string]*regexp.Regexp{
	"express":       regexp.MustCompile(`(^|=)"?(s:|s%3[Aa])[^;]+\.[A-Za-z0-9+/%]{43,}`),
	"koa-session":   regexp.MustCompile(`\.sig=|^koa\.sess=|(^|=)eyJ[A-Za-z0-9+/_-]+=*(;|$)`),
	"koa-generic":   regexp.MustCompile(`^koa\.sid=|koa\.sid\.sig=`),
	"flask":         regexp.MustCompile(`(^|[= ])\.?[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{5,7}\.[A-Za-z0-9_-]{27}(;|$)`),
	"flask-session": regexp.MustCompile(`(^|session=)([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[A-Za-z0-9_-]{43})(\.[A-Za-z0-9_-]{27})?(;|$)`),
	"php":           regexp.MustCompile(`PHPSESSID=|^[0-9a-v]{26}$|^[0-9a-f]{32}$`),
	"aspnetcore":    regexp.MustCompile(`(^|=)CfDJ8`),
}

// shaped tells whether a cookie looks like one of a format.
func shaped(name, cookie string) bool {
	if emptyRecord(name) {
		name = "php"
	}
	return shapes[name].MatchString(cookie)
}

// judge weighs what speaks for a format.
func (p *suspect) judge(cookie string) {
	r := p.report
	add := func(points int, is bool) {
		if is {
			p.sure += points
		}
	}
	add(100, r.Secret >= 0)
	add(90, p.trimmed)
	add(60, p.record != nil)
	add(40, r.Valid && p.record != nil)
	add(30, p.looks)
	add(15, strings.Contains("; "+cookie, "; "+p.one.cookie+"="))
	add(1, p.one.name == "php" || p.one.name == "flask")
}

// findings are what there is to say.
func (p *suspect) findings(s formatSettings, cookie string, named, stored bool) (all []finding) {
	say := func(state, name, detail, advice string) {
		all = append(all, finding{Name: name, State: state, Detail: detail, Advice: advice})
	}
	r := p.report
	word := format.Word(r.Reason)
	_, why, _ := strings.Cut(r.Reason, ": ")
	switch {
	case named || p.sure >= 60:
		say(stateOK, "format", p.one.name+", of "+p.one.system, "")
	case p.sure >= 15:
		say(stateWarning, "format", p.one.name+", of "+p.one.system+", by its looks", "nothing proves it; give --secret, or --store")
	default:
		say(stateProblem, "format", "unknown", "it looks like no cookie of Express, Koa, Flask, PHP or ASP.NET Core; was it cut off, or is it of another system?")
		return all
	}
	switch {
	case r.Secret == 0:
		say(stateOK, "secret", fmt.Sprintf("the first of %d fits", len(s.secrets)), "")
	case r.Secret > 0:
		say(stateWarning, "secret", fmt.Sprintf("number %d of %d fits", r.Secret+1, len(s.secrets)), "the cookie was signed with an older secret; the first one signs")
	case p.trimmed:
		say(stateProblem, "secret", "one fits without the spaces or quotes around it", "take them away where the secret is set")
	case word == format.BadSignature && !s.signed:
		say(stateProblem, "secret", "none was given", "give --secret: this cookie counts only with its signature")
	case word == format.BadSignature:
		say(stateProblem, "secret", why, "compare with the other system's configuration, all characters of it")
	case !p.one.signed:
		say(stateWarning, "secret", "the cookie is not signed", "who knows or guesses an ID has the session")
	}
	if r.ID != "" && r.Key != "" {
		say(stateOK, "id", r.ID, "")
		say(stateOK, "key", r.Key, "")
	}
	switch {
	case word == format.Expired:
		say(stateProblem, "deadline", why, "")
	case word == format.Malformed, word == format.Unsupported, word == format.NoCookie:
		say(stateProblem, "content", why, "")
	case word == format.NotFound && stored:
		say(stateProblem, "record", "there is none under that key", "it has expired or was ended, or the store or --prefix is another")
	case word == format.NotFound:
		say(stateWarning, "record", "not looked at", "give --store, or pipe it into: sojourn format decode --format "+p.one.name)
	}
	if !r.Expires.IsZero() && word != format.Expired {
		say(stateOK, "deadline", r.Expires.UTC().Format(time.RFC3339), "")
	}
	if r.Owner != "" {
		say(stateOK, "user", r.Owner, "")
	}
	for _, m := range r.Members {
		value := string(m.Value)
		if len(value) > 200 {
			value = fmt.Sprintf("%.200s… (%d bytes)", value, len(value))
		}
		say(stateOK, "member "+m.Key, value, "")
	}
	if d := p.format.Describe(); d.Warning != "" && r.Valid {
		say(stateWarning, "sharing", d.Warning, "see docs/formats.md: read-mostly, or members of your own beside the record")
	}
	return all
}
