package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/audit"
	"github.com/spf13/pflag"
	"gopkg.in/natefinch/lumberjack.v2"
)

// auditFlags say where the audit goes.
type auditFlags struct {
	file     string
	maxSize  int // MB
	keep     int
	webhook  string
	insecure bool
}

const webhookSecret = "SOJOURN_AUDIT_WEBHOOK_SECRET"

func (f *auditFlags) register(fl *pflag.FlagSet) {
	fl.StringVar(&f.file, "audit", "", "write what happens to sessions to this `file`, a line of JSON each, or to standard output (-)")
	fl.IntVar(&f.maxSize, "audit-max-size", 100, "rename the audit file at this size, in `MB`")
	fl.IntVar(&f.keep, "audit-keep", 10, "how many renamed audit files to keep; 0 keeps all")
	fl.StringVar(&f.webhook, "audit-webhook", "", "post what happens to sessions to this https `URL`, signed with the secret in the environment variable "+webhookSecret)
	fl.BoolVar(&f.insecure, "audit-webhook-insecure", false, "permit http in --audit-webhook, for tests: records say who is logged in from where")
}

var auditFlagNames = []string{"audit", "audit-max-size", "audit-keep", "audit-webhook", "audit-webhook-insecure"}

// auditing is the audit of a running server. Its zero value audits nothing.
type auditing struct {
	observers []sojourn.Observer
	closers   []io.Closer // in the order they were opened
	files     []*lumberjack.Logger
	lines     []string // for the start
}

// open starts what the flags ask for.
func (f *auditFlags) open(stdout io.Writer, logger *slog.Logger) (a *auditing, err error) {
	a = &auditing{}
	defer func() {
		if err != nil {
			a.Close()
		}
	}()
	if f.maxSize < 1 || f.keep < 0 {
		return a, errors.New("--audit-max-size and --audit-keep: expected at least 1 MB and at least 0 files")
	}
	o := audit.Options{Logger: logger}
	switch f.file {
	case "":
	case "-":
		if err := a.log(stdout, &o, "standard output"); err != nil {
			return a, err
		}
	default:
		if err := writable(f.file); err != nil {
			return a, err
		}
		file := &lumberjack.Logger{Filename: f.file, MaxSize: f.maxSize, MaxBackups: f.keep}
		a.files, a.closers = append(a.files, file), append(a.closers, file)
		if err := a.log(file, &o, fmt.Sprintf("%s, renamed at %d MB, %d kept", f.file, f.maxSize, f.keep)); err != nil {
			return a, err
		}
	}
	if f.webhook == "" {
		return a, nil
	}
	secret, err := audit.ParseSecret(os.Getenv(webhookSecret))
	if err != nil {
		return a, fmt.Errorf("--audit-webhook needs the environment variable %s: %s, as in whsec_$(openssl rand -base64 32)", webhookSecret, invalid(err))
	}
	hook, err := audit.OpenWebhook(f.webhook, secret, &audit.WebhookOptions{Options: o, InsecureHTTP: f.insecure})
	if err != nil {
		return a, fmt.Errorf("--audit-webhook: %s", invalid(errors.Unwrap(err)))
	}
	a.observers, a.closers = append(a.observers, hook), append(a.closers, hook)
	a.lines = append(a.lines, "webhook to "+hostOf(f.webhook))
	return a, nil
}

func (a *auditing) log(w io.Writer, o *audit.Options, line string) error {
	log, err := audit.Open(w, o)
	if err != nil {
		return err
	}
	a.observers, a.closers, a.lines = append(a.observers, log), append(a.closers, log), append(a.lines, line)
	return nil
}

// writable creates the file, for its owner only, so that a start fails rather than
// the first record.
func writable(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("--audit %s: %w; expected a file that can be written, in a folder that exists (%s)", path, cause(err), filepath.Dir(path))
	}
	return f.Close()
}

// hostOf is what may be shown of a URL: the rest can be secret.
func hostOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "?"
	}
	return u.Host
}

// rotate begins new files.
func (a *auditing) rotate() (err error) {
	for _, f := range a.files {
		err = errors.Join(err, f.Rotate())
	}
	return err
}

// Close writes and delivers what is left.
func (a *auditing) Close() (err error) {
	for i := len(a.closers) - 1; i >= 0; i-- {
		err = errors.Join(err, a.closers[i].Close())
	}
	return err
}
