//go:build linux || darwin || freebsd

package postgres

import (
	"context"
	"errors"
	"net"
	"syscall"

	"github.com/jackc/pgx/v5/pgxpool"
)

// doubtful reports whether an idle connection needs a ping before it is used. It
// looks into the socket, which costs a microsecond and no round trip: a server
// that ended the connection has left a message or the end of the stream there.
var doubtful = func(_ context.Context, p pgxpool.ShouldPingParams) bool {
	conn := p.Conn.PgConn().Conn()
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok { // TLS
		conn = t.NetConn()
	}
	c, ok := conn.(syscall.Conn)
	if !ok {
		return true
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return true
	}
	silent := false
	err = raw.Control(func(fd uintptr) {
		var b [1]byte
		_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		silent = errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EWOULDBLOCK)
	})
	return err != nil || !silent
}
