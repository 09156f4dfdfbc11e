package testenv

import (
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A WebProxy is nginx or HAProxy, which speaks HTTPS to clients.
type WebProxy struct {
	*Process
	Addr string
	TLS  *tls.Config // for clients: trusts its certificate
}

// StartNginx starts nginx with the text of a configuration file, in which
// replace, pairs of old and new, is replaced: ports, addresses, timeouts. Its
// "listen 443" becomes a free port, and /etc/ssl/app.pem and app.key a
// certificate of 127.0.0.1, localhost and *.example.test.
func StartNginx(t TB, config string, replace ...string) *WebProxy {
	t.Helper()
	path := Binary(t, "apt-get install nginx-light", "nginx")
	p, dir, cert := newWebProxy(t)
	conf := edit(t, config, append(replace, "listen 443", "listen "+p.Addr,
		"/etc/ssl/app.pem", cert.certFile, "/etc/ssl/app.key", cert.keyFile,
		"http {", "http {\naccess_log off; client_body_temp_path "+dir+"/b; proxy_temp_path "+dir+"/p; fastcgi_temp_path "+dir+"/f; uwsgi_temp_path "+dir+"/u; scgi_temp_path "+dir+"/s;"))
	file := filepath.Join(dir, "nginx.conf")
	write(t, file, conf)
	main := "daemon off; error_log stderr notice; pid " + dir + "/pid;"
	if os.Getuid() == 0 {
		main += " user root;"
	}
	p.run(t, dir, "nginx", path, []string{"-p", dir, "-c", file, "-g", main})
	return p
}

// StartHAProxy starts HAProxy with the text of a configuration file, as
// [StartNginx] does. Its "bind :443" becomes a free port, and
// /etc/haproxy/app.pem the certificate.
func StartHAProxy(t TB, config string, replace ...string) *WebProxy {
	t.Helper()
	path := Binary(t, "apt-get install haproxy", "haproxy")
	p, dir, cert := newWebProxy(t)
	both := filepath.Join(dir, "both.pem")
	var pem []byte
	for _, file := range []string{cert.certFile, cert.keyFile} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatalf("%v", err)
		}
		pem = append(pem, b...)
	}
	write(t, both, string(pem))
	file := filepath.Join(dir, "haproxy.cfg")
	write(t, file, edit(t, config, append(replace, "bind :443", "bind "+p.Addr, "/etc/haproxy/app.pem", both)))
	p.run(t, dir, "haproxy", path, []string{"-db", "-f", file})
	return p
}

func newWebProxy(t TB) (p *WebProxy, dir string, cert certificate) {
	t.Helper()
	dir = t.TempDir()
	cert = selfSigned(t, dir)
	return &WebProxy{Addr: "127.0.0.1:" + strconv.Itoa(Port(t)), TLS: cert.client}, dir, cert
}

func (p *WebProxy) run(t TB, dir, name, path string, args []string) {
	t.Helper()
	p.Process = Command(t, dir, name, path, args)
	p.Start()
	p.Ready(10*time.Second, func() error {
		conn, err := net.DialTimeout("tcp", p.Addr, time.Second)
		if err == nil {
			conn.Close()
		}
		return err
	})
}

// edit replaces each old text, which must be there, by its new one.
func edit(t TB, text string, pairs []string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("the configuration lacks %q", pairs[i])
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return text
}

func write(t TB, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatalf("%v", err)
	}
}
