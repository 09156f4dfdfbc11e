package redisstore

import (
	"testing"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/storetest/linear"
)

// What this process knows of ends goes beyond what the server tells, see journal.go.
var linearity = linear.Options{LateGeneration: true, KnownEnds: true}

func TestLinearizable(t *testing.T) {
	opt := linearity
	linear.Run(t, func(t *testing.T) sojourn.Store { return open(t, "redis://"+server(t).Addr, nil) }, &opt)
}

func TestLinearizableCluster(t *testing.T) {
	opt := linearity
	linear.Run(t, func(t *testing.T) sojourn.Store { return open(t, "redis+cluster://"+servers(t).Addrs(), nil) }, &opt)
}
