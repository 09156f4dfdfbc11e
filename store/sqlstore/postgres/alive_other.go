//go:build !(linux || darwin || freebsd)

package postgres

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"
)

// doubtful is unset: the pool pings a connection that was idle for a second.
var doubtful func(context.Context, pgxpool.ShouldPingParams) bool
