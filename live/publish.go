package live

import (
	"context"
	"fmt"
	"time"

	"github.com/sojournhq/sojourn"
)

// An Address says who receives a message.
type Address struct {
	session sojourn.ID
	tag     string
}

// ToSession addresses the pages of one session.
func ToSession(id sojourn.ID) Address { return Address{session: id} }

// ToOwner addresses all pages of all sessions of a user.
func ToOwner(owner string) Address { return Address{tag: ownerTag(owner)} }

// ToTopic addresses all sessions that follow a topic: see Options.Topics.
func ToTopic(topic string) Address { return Address{tag: topicTag(topic)} }

// Publish logs a message for every addressed session that a page has followed
// lately, and sends it to the pages that are connected. typ begins with "app.";
// data is encoded as JSON. Each session receives the messages of one goroutine
// in order; there is no order between sessions. It does not wait for pages.
func (h *Hub) Publish(ctx context.Context, to Address, typ string, data any) error {
	e, err := newEvent(typ, data, h.opt.MaxMessage, time.Now())
	if err != nil {
		return fmt.Errorf("live: publish: %w", err)
	}
	ids, err := h.addressed(ctx, to)
	if err == nil && len(ids) > 0 {
		err = h.plane.Append(ctx, ids, e)
	}
	if err != nil {
		return fmt.Errorf("live: publish: %w", err)
	}
	return nil
}

func (h *Hub) addressed(ctx context.Context, to Address) ([]sojourn.ID, error) {
	switch {
	case to.session != "":
		return []sojourn.ID{to.session}, nil
	case !to.group():
		return nil, fmt.Errorf("%w: address, expected a session, an owner or a topic that is not empty", sojourn.ErrInvalid)
	}
	return h.plane.Tagged(ctx, to.tag)
}

// group reports whether it is a user's or a topic's.
func (to Address) group() bool {
	return to.tag != "" && to.tag != ownerTag("") && to.tag != topicTag("")
}
