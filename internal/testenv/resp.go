package testenv

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// do sends one Redis command on a connection of its own and returns the answer:
// a string, an int64, nil, or a []any of these. An error answer is an error.
func (r *Redis) do(timeout time.Duration, args ...string) (any, error) {
	d := &net.Dialer{Timeout: timeout}
	var conn net.Conn
	var err error
	if r.TLS != nil {
		conn, err = tls.DialWithDialer(d, "tcp", r.Addr, r.TLS)
	} else {
		conn, err = d.Dial("tcp", r.Addr)
	}
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(timeout))
	in := bufio.NewReader(conn)
	if r.admin != "" {
		if _, err := respCall(conn, in, "AUTH", "default", r.admin); err != nil {
			return nil, err
		}
	}
	return respCall(conn, in, args...)
}

func respCall(w io.Writer, in *bufio.Reader, args ...string) (any, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return nil, err
	}
	return respAnswer(in)
}

func respAnswer(in *bufio.Reader) (any, error) {
	line, err := in.ReadString('\n')
	if err != nil {
		return nil, err
	}
	line = strings.TrimSuffix(line, "\r\n")
	if line == "" {
		return nil, errors.New("redis: empty answer")
	}
	rest := line[1:]
	n, _ := strconv.Atoi(rest)
	switch line[0] {
	case '+':
		return rest, nil
	case '-':
		return nil, errors.New("redis: " + rest)
	case ':':
		return strconv.ParseInt(rest, 10, 64)
	case '$':
		if n < 0 {
			return nil, nil
		}
		b := make([]byte, n+2)
		_, err := io.ReadFull(in, b)
		return string(b[:n]), err
	case '*':
		if n < 0 {
			return nil, nil
		}
		all := make([]any, n)
		for i := range all {
			if all[i], err = respAnswer(in); err != nil {
				return nil, err
			}
		}
		return all, nil
	}
	return nil, fmt.Errorf("redis: answer %q", line)
}
