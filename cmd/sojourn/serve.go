package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/live"
	"github.com/sojournhq/sojourn/server"
	"github.com/sojournhq/sojourn/server/demo"
	"github.com/sojournhq/sojourn/webapi"
	"github.com/spf13/cobra"
)

// serveFlags are the settings of a server.
type serveFlags struct {
	listen    address
	store     string
	storeFrom string
	plane     string
	idle      duration
	absolute  duration
	tlsCert   string
	tlsKey    string
	proxies   proxies
	logLevel  choice
	logFormat choice
	shutdown  duration
	audit     auditFlags
	near      nearFlags
	binding   bindingFlags
	guards    guardFlags
}

func newServe() *cobra.Command {
	f := &serveFlags{
		listen:    "127.0.0.1:8080",
		idle:      duration(30 * time.Minute),
		absolute:  duration(12 * time.Hour),
		shutdown:  duration(10 * time.Second),
		logLevel:  choice{"info", []string{"debug", "info", "warn", "error"}},
		logFormat: choice{"text", []string{"text", "json"}},
	}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run a session server with a demo page",
		Long: `Runs a session server: the session API and its browser SDK below /_session/,
a demo page at /, /healthz and /readyz.

On a loopback address without TLS the cookie is called "sojourn" and is not
Secure, because browsers would not keep it otherwise. On any other address it
is __Host-sojourn and Secure, so that TLS is needed: here (--tls-cert) or in a
proxy in front.

With --keys, what the store keeps is sealed: see "sojourn keys". With --audit or
--audit-webhook, what happens to sessions is written down: see docs/audit.md.
SIGHUP reads the keys anew and begins a new audit file.

Servers that share a store serve the same pages. For what happens to a session
to reach its live connections on all of them at once, they share a --plane, too;
it is the store itself where that is Redis or PostgreSQL.

What guards sessions against thieves and floods (--on-replay, --on-signal,
--max-sessions-per-user, --max-creations, --max-misses, --aal) is explained in
docs/guard.md.

With --dbsc, browsers that can bind each session to their device, so that a stolen
cookie is worth nothing elsewhere: see docs/device-binding.md.

To move to another store without logging anybody out, name the old one with
--store-from in all servers, run "sojourn migrate", and drop --store-from.

SIGINT or SIGTERM ends the server gracefully: it finishes the requests under
way, then closes the store. A second one ends it at once; no acknowledged write
is lost either way.
` + envNote,
		Example: `  sojourn serve
  sojourn serve --store memory: --idle 1m
  sojourn serve --listen :443 --tls-cert cert.pem --tls-key key.pem --store sqlite:/var/lib/sojourn/sojourn.db
  sojourn serve --store sqlite:/srv/new.db --store-from sqlite:/var/lib/sojourn/sojourn.db
  SOJOURN_LISTEN=0.0.0.0:8080 sojourn serve --trusted-proxy 10.0.0.0/8`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.guards.timeouts(&f.idle, &f.absolute, cmd.Flags().Changed("idle"), cmd.Flags().Changed("absolute")); err != nil {
				return err
			}
			if !cmd.Flags().Changed("absolute") {
				f.absolute = max(f.absolute, f.idle) // nobody asked for the shorter one
			}
			return serve(cmd.Context(), f, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	fl := cmd.Flags()
	fl.Var(&f.listen, "listen", "address to listen on; port 0 takes a free one")
	fl.StringVar(&f.store, "store", defaultStore, storeUsage)
	fl.StringVar(&f.storeFrom, "store-from", "", "the `URL` of an older store, whose sessions move to --store as they are met")
	fl.StringVar(&f.plane, "plane", "", planeUsage)
	completeStores(cmd, "store", "store-from", "plane")
	fl.Var(&f.idle, "idle", "end a session this long after its last use")
	fl.Var(&f.absolute, "absolute", "end a session this long after it began, whatever happens")
	fl.StringVar(&f.tlsCert, "tls-cert", "", "certificate chain, a PEM `file`")
	fl.StringVar(&f.tlsKey, "tls-key", "", "its private key, a PEM `file`")
	fl.Var(&f.proxies, "trusted-proxy", "proxies whose X-Forwarded-For and X-Forwarded-Proto are believed; may be repeated")
	fl.Var(&f.logLevel, "log-level", "least severity to log")
	fl.Var(&f.logFormat, "log-format", "how to log on standard error; json also replaces the start-up lines")
	fl.Var(&f.shutdown, "shutdown-timeout", "how long requests under way may take at the end")
	f.audit.register(fl)
	f.near.register(fl)
	f.binding.register(fl)
	f.guards.register(fl)
	fromEnv(cmd, append(slices.Concat(auditFlagNames, nearFlagNames, bindingFlagNames, guardFlagNames), "listen", "store", "store-from", "plane", "idle", "absolute", "tls-cert", "tls-key", "trusted-proxy",
		"log-level", "log-format", "shutdown-timeout")...)
	keysFlag(cmd)
	return cmd
}

// serve runs until ctx ends.
func serve(ctx context.Context, f *serveFlags, stdout, stderr io.Writer) (err error) {
	logger := newLogger(f, stderr)
	policy, err := f.policy()
	if err != nil {
		return err
	}
	tlsConfig, err := f.tls()
	if err != nil {
		return err
	}
	listener, err := f.listen.listen()
	if err != nil {
		return err
	}
	defer listener.Close()
	store, err := f.open(ctx, logger)
	if err != nil {
		return err
	}
	defer func() {
		if e := store.Close(); err == nil && e != nil {
			err = fmt.Errorf("closing the store: %w", e)
		}
	}()

	stopNear, err := f.near.wrap(store, logger)
	if err != nil {
		return err
	}
	if stopNear != nil {
		defer stopNear()
	}
	keys, err := store.seal(ctx)
	if err != nil {
		return err
	}
	audits, err := f.audit.open(stdout, logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, audits.Close()) }() // behind the sessions, before the store
	if keys != nil || len(audits.files) > 0 {
		stop := onHangup(logger, func() error { return errors.Join(keys.reload(), audits.rotate()) })
		defer stop()
	}

	plane, err := f.openPlane(ctx, logger)
	if err != nil {
		return err
	}
	defer plane.Close()
	room := &demo.Room{} // on the demo page
	meeting := &live.Options{Backplane: plane.Backplane, NoValues: keys != nil && plane.Backplane != nil, DrainOver: max(time.Millisecond, min(time.Duration(f.shutdown)/2, 5*time.Second))}
	room.Furnish(meeting)
	hub, err := live.New(meeting)
	if err != nil {
		return err
	}
	room.Open(hub)
	insecure := tlsConfig == nil && loopback(listener)
	rules := &sojourn.Options{
		Policy:         policy,
		Cookie:         sojourn.Cookie{Insecure: insecure},
		TrustedProxies: f.proxies,
		Observers:      append(audits.observers, eventLog{logger}, hub),
		Logger:         logger,
		ErrorHandler:   webapi.ErrorHandler,

		AnonymousOnOutage: f.near.anonymous,
	}
	binder, err := f.binding.bind(rules, logger)
	if err != nil {
		return err
	}
	if err := f.guards.guard(rules); err != nil {
		return err
	}
	sessions, err := sojourn.New(store.Store, rules)
	if err != nil {
		return err
	}
	defer sessions.Close() // before the store: deferred later
	if err := f.guards.check(ctx, sessions); err != nil {
		return err
	}
	handler, err := server.New(sessions, &server.Options{Store: store.Store, Live: hub, Binder: binder, Logger: logger})
	if err != nil {
		return err
	}

	sweeping, stopSweeping := context.WithCancel(context.WithoutCancel(ctx))
	swept := make(chan struct{})
	go func() {
		defer close(swept)
		if err := sessions.Run(sweeping); err != nil && sweeping.Err() == nil {
			logger.Error("sweeping stopped", "error", err)
		}
	}()
	defer func() { stopSweeping(); <-swept }()

	srv := &http.Server{
		Handler:           handler,
		TLSConfig:         tlsConfig,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	running := make(chan error, 1)
	go func() {
		if tlsConfig != nil {
			running <- srv.ServeTLS(listener, "", "")
		} else {
			running <- srv.Serve(listener)
		}
	}()

	lines := stdout
	if f.audit.file == "-" { // which is for the audit then
		lines = stderr
	}
	announce(lines, logger, f, announcement{
		url: pageURL(listener, f.listen, tlsConfig != nil), store: store, options: sessions.Options(),
		insecure: insecure, tls: tlsConfig != nil, keys: keys, audit: audits.lines, plane: plane.line,
	})

	select {
	case err := <-running:
		return fmt.Errorf("serving %s: %w", listener.Addr(), err)
	case <-ctx.Done():
	}
	logger.Info("shutting down", "timeout", short(time.Duration(f.shutdown)))
	handler.Drain()
	return drain(srv, hub, time.Duration(f.shutdown))
}

// drain sends live connections elsewhere, lets requests under way finish, and cuts off those that do not.
func drain(srv *http.Server, hub *live.Hub, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	_ = hub.Drain(ctx) // what has not gone by then is cut off: pages come back by themselves
	err := srv.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		srv.Close()
		return fmt.Errorf("requests were still running after %s and have been cut off; a longer --shutdown-timeout lets them finish", short(timeout))
	}
	return err
}

// policy is what the flags say about a session's life.
func (f *serveFlags) policy() (sojourn.Policy, error) {
	idle, absolute := time.Duration(f.idle), time.Duration(f.absolute)
	switch {
	case idle < time.Second:
		return sojourn.Policy{}, fmt.Errorf("--idle %s: expected at least 1s", short(idle))
	case absolute < idle:
		return sojourn.Policy{}, fmt.Errorf("--absolute %s is shorter than --idle %s; expected it to be at least as long", short(absolute), short(idle))
	}
	return sojourn.Policy{Idle: idle, Absolute: absolute}, nil
}

// tls reads the certificate, if there is one.
func (f *serveFlags) tls() (*tls.Config, error) {
	switch {
	case f.tlsCert == "" && f.tlsKey == "":
		return nil, nil
	case f.tlsKey == "":
		return nil, errors.New("--tls-cert needs its private key; expected --tls-key too")
	case f.tlsCert == "":
		return nil, errors.New("--tls-key needs its certificate; expected --tls-cert too")
	}
	for _, one := range []struct{ flag, file string }{{"--tls-cert", f.tlsCert}, {"--tls-key", f.tlsKey}} {
		if _, err := os.Stat(one.file); err != nil {
			return nil, fmt.Errorf("%s %s: %v; expected a PEM file", one.flag, one.file, cause(err))
		}
	}
	pair, err := tls.LoadX509KeyPair(f.tlsCert, f.tlsKey)
	if err != nil {
		return nil, fmt.Errorf("--tls-cert %s and --tls-key %s: %w; expected a certificate chain and its key, both PEM", f.tlsCert, f.tlsKey, err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}}, nil // TLS 1.2 and newer by default
}

func newLogger(f *serveFlags, w io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: f.logLevel.level()}
	if f.logFormat.value == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
