package memstore

// A wheel orders the nodes of a shard by deadline, roughly: a node with the
// deadline t (in ticks) hangs in slot t mod wheelSlots. It needs no clock; its
// position follows the times that sweeps ask for.
//
//	          pos                      every node hangs in pending, or in a slot
//	           ↓                       that the position reaches no later than
//	┌───┬───┬───┬───┬───┬─ ─ ─┬───┐    the node's tick; a node that is late when
//	│   │   │   │   │   │     │   │    it comes hangs in the slot of pos itself
//	└───┴───┴─┬─┴───┴───┴─ ─ ─┴───┘
//	          └→ pending → removed if due, else hung up again by its deadline
//
// A deadline that moves forward moves nothing here: the node is met too early
// once, and hung up again. So is, once per turn, one that is more than a turn
// ahead. One that moves backward is hung up again at once.
type wheel struct {
	pos     int64 // the tick whose slot is emptied next
	turned  int64 // while pos is before it, slots not passed since a jump may hold what is late
	pending uint32
	slots   [wheelSlots]uint32
}

const (
	wheelSlots = 256 // with the tick, a turn of 35 min
	slotMask   = wheelSlots - 1
	slotFree   = ^uint16(0) // the node is not in use

	// A tick is 2^13 ms, 8 s. Shorter, and a sweep passes more slots; longer,
	// and it meets more nodes of the present tick that are not due.
	tickShift = 13

	// sweepBatch nodes are visited by a sweep under one lock, at 0.2 to 1 µs each.
	sweepBatch = 128
	// tidyBatch nodes are visited by a Create, more than it adds.
	tidyBatch = 8
	// tidyAfter is how long past its deadline, in milliseconds, a record is left
	// to Sweep, whose caller reports the end of the session.
	tidyAfter = 10 * 60 * 1000
)

// schedule hangs a node up by its deadline.
func (sh *shard) schedule(i uint32) {
	n, w := sh.node(i), &sh.wheel
	n.slot = uint16(max(n.expires>>tickShift, w.pos) & slotMask)
	head := &w.slots[n.slot]
	n.prev, n.next = 0, *head
	if n.next != 0 {
		sh.node(n.next).prev = i
	}
	*head = i
}

// unschedule takes a node off the wheel.
func (sh *shard) unschedule(i uint32) {
	n, w := sh.node(i), &sh.wheel
	if n.next != 0 {
		sh.node(n.next).prev = n.prev
	}
	switch {
	case n.prev != 0:
		sh.node(n.prev).next = n.next
	case w.slots[n.slot] == i:
		w.slots[n.slot] = n.next
	default:
		w.pending = n.next
	}
}

// reschedule gives a node a deadline.
func (sh *shard) reschedule(i uint32, expires int64) {
	n := sh.node(i)
	earlier := expires < n.expires
	n.expires = expires
	if earlier {
		sh.unschedule(i)
		sh.schedule(i)
	}
}

// A pass looks once for all nodes of a shard with a deadline before a time. It
// may be interrupted between two calls of due, but by no other pass that looks
// beyond it: see shard.swept.
type pass struct {
	before int64 // milliseconds since 1970
	visits int   // nodes that may still be visited
	last   bool  // the slot of before itself is in pending
	done   bool  // no more are due
}

// due returns a node that is due, which the caller removes, or 0 if there is
// none or visits are used up.
func (sh *shard) due(p *pass) uint32 {
	for p.visits > 0 {
		if sh.wheel.pending == 0 && !sh.advance(p) {
			p.done = true
			return 0
		}
		i := sh.wheel.pending
		p.visits--
		if sh.node(i).expires < p.before {
			return i
		}
		sh.unschedule(i)
		sh.schedule(i)
	}
	return 0
}

// advance moves the wheel on until there is something pending; it reports
// whether there is.
func (sh *shard) advance(p *pass) bool {
	w := &sh.wheel
	target := p.before >> tickShift
	if sh.live == 0 {
		w.pos, w.turned = target, target
		return false
	}
	for w.pending == 0 && !p.last {
		// A jump, from long ago or from a turn that ends too late for this pass:
		// one turn up to target meets every slot.
		if w.pos < target-wheelSlots || w.pos < w.turned && target < w.turned {
			w.pos, w.turned = target-wheelSlots, target
		}
		from := w.pos
		switch {
		case from < target:
			w.pos++ // as the slot is emptied, so that a late node is not hung up behind
		case from == target:
			p.last = true // the position stays: more may come for this tick
		default:
			// Back in time. What is late hangs here, and the position gets to all
			// else in time from target as well.
			w.pos, w.turned = target, target
		}
		head := &w.slots[from&slotMask]
		w.pending, *head = *head, 0
	}
	return w.pending != 0
}
