package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/live"
	"github.com/sojournhq/sojourn/live/pgplane"
	"github.com/sojournhq/sojourn/live/redisplane"
)

const planeUsage = "what carries live events between servers, as a `URL`: redis://…, postgres://… as for --store, or memory: for this process alone (default: the store, where it is one of these, else memory:)"

// An openedPlane is what joins live connections to several servers, nil within
// for one that stands alone.
type openedPlane struct {
	live.Backplane
	line  string // as people should see it
	close io.Closer
}

// Close is called after the last connection has gone.
func (p *openedPlane) Close() error {
	if p.close == nil {
		return nil
	}
	return p.close.Close()
}

// openPlane opens the backplane that --plane names, or the store's server.
func (f *serveFlags) openPlane(ctx context.Context, logger *slog.Logger) (*openedPlane, error) {
	ref, note := storeRef{flag: "--plane", url: f.plane}, ""
	scheme, _, _ := strings.Cut(strings.ToLower(f.plane), ":")
	if f.plane == "" {
		switch scheme, _, _ = strings.Cut(strings.ToLower(f.store), ":"); planeKind(scheme) {
		case "redis", "postgres":
			ref, note = storeRef{flag: "--store (for live events; --plane names another)", url: f.store}, " (the store)"
		default:
			ref.url, scheme = "memory:", "memory"
		}
	}
	switch kind := planeKind(scheme); kind {
	case "memory":
		if strings.ToLower(ref.url) == "memory:" {
			return &openedPlane{line: "within this process"}, nil
		}
	case "redis":
		p, err := redisplane.Open(ctx, ref.url, &redisplane.Options{Logger: logger})
		if err != nil {
			return nil, ref.refuse(err)
		}
		return &openedPlane{p, "by " + ref.name() + note, p}, nil
	case "postgres":
		p, err := pgplane.Open(ctx, ref.url, &pgplane.Options{Logger: logger})
		if err != nil {
			return nil, ref.refuse(err)
		}
		return &openedPlane{p, "by " + ref.name() + note, p}, nil
	}
	return nil, &refusal{text: fmt.Sprintf("--plane %q: expected redis://, rediss://, redis+cluster://, redis+sentinel://, postgres:// or memory:", ref.name()), err: sojourn.ErrInvalid}
}

// planeKind is the engine behind a scheme, "" for one that carries no events.
func planeKind(scheme string) string {
	return map[string]string{
		"memory": "memory", "postgres": "postgres", "postgresql": "postgres",
		"redis": "redis", "rediss": "redis", "redis+cluster": "redis", "rediss+cluster": "redis",
		"redis+sentinel": "redis", "rediss+sentinel": "redis",
	}[scheme]
}
