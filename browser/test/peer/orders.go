package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/live"
)

// An order is what a test wants.
type order struct {
	Do   string // see obey
	Site string

	// make: milliseconds, 0 for the library's defaults.
	Idle, Absolute, Warn, Ping, MaxAge int
	// advance: milliseconds.
	By int
	// publish: to all sessions of a user.
	Owner, Type string
	Data        any
	// refuse: beginnings of paths, and what they are answered with; 0 hangs up,
	// and -1 waits until another refuse.
	Paths  []string
	Status int
	// set: a member, as the application writes it, in all sessions of Owner.
	Key string
	// wait: milliseconds until listening again.
	After int
}

var mu sync.Mutex // of the control's map

func (c *control) obey(o order) (any, error) {
	mu.Lock()
	if o.Do == "make" {
		defer mu.Unlock()
		c.made++
		s, err := newSite(c.pages, o)
		if err != nil {
			return nil, err
		}
		name := fmt.Sprint(c.made)
		c.sites[name] = s
		return map[string]string{"site": name, "url": s.url}, nil
	}
	s := c.sites[o.Site]
	mu.Unlock()
	if s == nil {
		return nil, fmt.Errorf("no site %q", o.Site)
	}
	ctx := context.Background()
	switch o.Do {
	case "advance":
		s.ahead.Add(int64(time.Duration(o.By) * time.Millisecond))
	case "publish":
		return nil, s.hub.Publish(ctx, live.ToOwner(o.Owner), o.Type, o.Data)
	case "revoke":
		return nil, s.manager.RevokeOwner(ctx, o.Owner)
	case "refuse":
		s.refuse(o.Paths, o.Status)
	case "set":
		list, err := s.manager.List(ctx, o.Owner)
		for _, d := range list {
			var open *sojourn.Session
			if open, err = s.manager.Open(ctx, d.ID); err == nil {
				inside := sojourn.NewContext(ctx, open)
				if err = sojourn.Key[any](o.Key).Set(inside, o.Data); err == nil {
					err = open.Save(inside)
				}
			}
		}
		return nil, err
	case "log":
		return s.seen(), nil
	case "heard":
		return s.heard(), nil
	case "down":
		s.down()
	case "up":
		return nil, s.up()
	case "drain":
		return nil, s.hub.Drain(ctx)
	default:
		return nil, fmt.Errorf("cannot do %q", o.Do)
	}
	return nil, nil
}
