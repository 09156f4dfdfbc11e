package redisplane

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"

	"github.com/sojournhq/sojourn"
)

// What keys name, T being 16 characters of base64url, the Cluster's hash tag:
//
//	<prefix>lm{T}id    a log's epoch, top, server, bytes and tags, or why it ended
//	<prefix>le{T}id    its events, the newest last: a list of "milliseconds:JSON"
//	<prefix>lt{T}tag   the sessions with a tag: a sorted set, by when they are forgotten
//	<prefix>lw{T}tag   those that are watched, by which node
//	<prefix>ln         the nodes: a sorted set, by when they count as dead
//
// and channels, which know no databases and so name theirs:
//
//	<prefix>lc:db:id   a session's events: "epoch.offset:JSON"
//	<prefix>lp:node    a node's messages to itself
func (p *Plane) metaKey(id sojourn.ID) string    { return p.key("lm", string(id)) }
func (p *Plane) eventsKey(id sojourn.ID) string  { return p.key("le", string(id)) }
func (p *Plane) taggedKey(tag string) string     { return p.key("lt", tag) }
func (p *Plane) watchedKey(tag string) string    { return p.key("lw", tag) }
func (p *Plane) nodesKey() string                { return p.opt.Prefix + "ln" }
func (p *Plane) probeChannel() string            { return p.opt.Prefix + "lp:" + p.node }
func (p *Plane) channelOf(id sojourn.ID) string  { return p.channels + string(id) }
func (p *Plane) logKeys(id sojourn.ID) []string  { return []string{p.metaKey(id), p.eventsKey(id)} }
func (p *Plane) tagKeys(tag string) []string     { return []string{p.taggedKey(tag), p.watchedKey(tag)} }
func channelPrefix(prefix string, db int) string { return prefix + "lc:" + strconv.Itoa(db) + ":" }

func (p *Plane) key(kind, name string) string {
	sum := sha256.Sum256([]byte(name))
	return p.opt.Prefix + kind + "{" + base64.RawURLEncoding.EncodeToString(sum[:12]) + "}" + name
}

// A watcher is the member of lw{T}tag for one Watch: node, its number and the
// session, so that a late removal never takes a later Watch's place.
func (p *Plane) watcher(n uint64, id sojourn.ID) string {
	return p.node + strconv.FormatUint(n, 36) + ":" + string(id)
}
