package main

import (
	"github.com/spf13/cobra"
)

func newFormat() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "format",
		Short: "Read and write the sessions of other systems",
		Long: `Reads and writes the sessions of Express, Koa, Flask, PHP and ASP.NET Core as these
do, byte by byte, without a server or a store. "sojourn doctor cookie" finds out
which system, secret and settings a cookie is of.`,
		Args: noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newFormatDecode(), newFormatEncode())
	return cmd
}

const formatNames = `The formats, the store key of an ID, and what is not a member there:

  express        express-session       sess:ID               cookie
  koa-session    koa-session           ID; none: the cookie  _expire _maxAge _session
  koa-generic    koa-generic-session   koa:sess:ID           cookie
  flask          Flask                 none: the cookie      _permanent
  flask-session  Flask-Session, Redis  session:ID            _permanent
  php, php_serialize, php_binary, igbinary
                 PHP, by handler       PHPREDIS_SESSION:ID   nothing
  aspnetcore     ASP.NET Core          ID                    nothing (experimental)

--prefix gives another beginning of the key, such as "memc.sess.key." or "sess_" of
PHP with Memcached or files. For flask-session, --secret says that its cookie is signed
(SESSION_USE_SIGNER). Members that JSON has no word for are marked: see
docs/formats.md.`

const cookieForms = `--cookie takes a cookie's value, with or without "name=", as it is on the wire or
decoded; or a whole Cookie header, which Koa needs, since it signs with a second
cookie: "koa.sess=…; koa.sess.sig=…". Secrets on a command line are seen by other
users of the machine: SOJOURN_FORMAT_SECRETS has them as well, one a line.`

// formatFlags are of all commands that deal with foreign sessions.
type formatFlags struct {
	format, prefix, name, at, app, lifetime string
	secrets, cookies                        []string
}

func (f *formatFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.format, "format", "", "the other system's `NAME`")
	flags.StringArrayVar(&f.secrets, "secret", nil, "the other system's secret; repeat it for older ones. aspnetcore: the XML of a key, or @FILE or @FOLDER")
	flags.StringVar(&f.at, "at", "", "as of this `UNIXTIME`, in seconds (default now)")
	flags.StringVar(&f.prefix, "prefix", "", "what the key begins with, instead of the system's default")
	flags.StringVar(&f.name, "cookie-name", "", "the cookie's name, instead of the system's default")
	flags.StringVar(&f.lifetime, "lifetime", "", "how long a session lives, as in 30m or 31d, instead of the system's default")
	flags.StringVar(&f.app, "app", "", "aspnetcore: the application's name (SetApplicationName)")
	names := make([]cobra.Completion, len(foreignFormats))
	for i, one := range foreignFormats {
		names[i] = cobra.CompletionWithDesc(one.name, one.system)
	}
	complete(cmd, "format", names)
	for _, flag := range []string{"secret", "at", "prefix", "cookie-name", "lifetime", "app"} {
		complete(cmd, flag, nil)
	}
}

func complete(cmd *cobra.Command, flag string, names []cobra.Completion) {
	err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp))
	if err != nil {
		panic(err) // the flag does not exist
	}
}
