package mysql

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"github.com/sojournhq/sojourn"
)

const form = "expected mysql://user:password@host:3306/database"

// parse reads the URL. Its errors never quote it, for it holds a password.
func parse(text string) (*driver.Config, error) {
	bad := func(what string) error {
		return fmt.Errorf("%w: malformed URL: %s%s", sojourn.ErrInvalid, what, form)
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "mysql" && u.Scheme != "mariadb" || u.Opaque != "" || u.Fragment != "" {
		return nil, bad("")
	}
	c := driver.NewConfig()
	c.User = u.User.Username()
	c.Passwd, _ = u.User.Password()
	if c.User == "" {
		return nil, bad("no user: ")
	}
	if strings.Contains(u.Path, "@") { // behind a slash in the password
		return nil, bad("write / as %2F and @ as %40 in the password: ")
	}
	if c.DBName = strings.TrimPrefix(u.Path, "/"); c.DBName == "" || strings.Contains(c.DBName, "/") {
		return nil, bad("no database: ")
	}
	c.Net, c.Addr = "tcp", net.JoinHostPort(u.Hostname(), "3306")
	if u.Port() != "" {
		c.Addr = net.JoinHostPort(u.Hostname(), u.Port())
	}
	params, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, bad("")
	}
	for name, values := range params {
		value := values[len(values)-1]
		switch {
		case name == "socket" && value != "":
			c.Net, c.Addr = "unix", value
		case name == "tls" && slices.Contains([]string{"true", "false", "skip-verify", "preferred"}, value):
			c.TLSConfig = value
		default:
			return nil, bad("it may have the parameters socket=FILE and tls=true, false, preferred or skip-verify: ")
		}
	}
	if c.Net == "tcp" && u.Hostname() == "" {
		return nil, bad("no host: ")
	}
	rely(c)
	return c, nil
}

// rely sets what the statements rely on.
func rely(c *driver.Config) {
	c.InterpolateParams = true // without it, each statement is prepared first: another round trip
	c.MaxAllowedPacket = 0     // ask the server
	c.Params = map[string]string{"autocommit": "1"}
	c.Timeout = 5 * time.Second
	c.Logger = &driver.NopLogger{} // what it says comes back as errors, too
	c.ConnectionAttributes = "program_name:sojourn"
}
