package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/rueidis"
	"github.com/sojournhq/sojourn"
)

// ErrClosed is what operations return after [Store.Close].
var ErrClosed = errors.New("store is closed")

// wrap adds the package, the operation and what an operator can do where the
// server's words do not say it. A nil error stays nil.
func wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("redisstore: %s: %w", op, explain(err))
}

// advice follows the server's error, by the code it begins with.
var advice = []struct{ code, text string }{
	{"WRONGPASS", "check user and password of the URL"},
	{"NOAUTH", "the server wants a password: expected user:password@ or :password@ in the URL"},
	{"NOPERM", "the user lacks a permission, see the documentation of package redisstore"},
	{"READONLY", "this is a replica: expected the URL of the primary, or redis+sentinel://"},
	{"MOVED", "this server belongs to a Cluster: expected redis+cluster://"},
	{"OOM", "the server's memory is full: raise maxmemory"},
	{"MISCONF", "the server cannot write to its disk"},
	{"NOREPLICAS", "too few replicas are in step, see min-replicas-to-write"},
	{"LOADING", "the server is still reading its files"},
	{"CLUSTERDOWN", "part of the Cluster has no primary"},
	{"invalid DB index", "the server has no such database"},
	{"DB index is out of range", "the server has no such database"},
}

func explain(err error) error {
	switch {
	case errors.Is(err, rueidis.ErrClosing):
		return ErrClosed
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	// The library leaves out a leading ERR.
	text := err.Error()
	for _, a := range advice {
		if strings.HasPrefix(text, a.code) {
			return fmt.Errorf("%w: %s", err, a.text)
		}
	}
	return err
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", sojourn.ErrInvalid, fmt.Sprintf(format, args...))
}
