package redisplane

import (
	"crypto/sha1"
	"encoding/hex"
)

// A script is run by its hash, and sent in full to a server that does not know
// it. All keys it touches are declared and lie in one slot.
type script struct {
	text, sha string
	again     bool // doing it twice is the same as doing it once
}

func newScript(again bool, text string) *script {
	sum := sha1.Sum([]byte(text))
	return &script{text: text, sha: hex.EncodeToString(sum[:]), again: again}
}

const (
	luaNow = `
local function now()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
`
	// server() names this run of this server: a replica that was promoted, or a
	// file that was read, may know less of a log than its pages have seen. INFO
	// costs 3 µs (measured).
	//
	// log(epoch, create) gives a log's epoch, top and bytes, beginning anew under
	// that epoch where it is another server's; nil, and the reason, if it ended.
	//
	// trim(bytes, events, most, oldest) drops what is no longer kept and gives how
	// many events remain.
	luaLog = luaNow + `
local function server()
  return string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
end
local function log(epoch, create)
  local m = redis.call('HMGET', KEYS[1], 'epoch', 'top', 'bytes', 'server', 'ended')
  if m[5] then return nil, m[5] end
  if not m[1] and not create then return nil end
  if m[1] and m[4] == server() then return m[1], tonumber(m[2]), tonumber(m[3]) end
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[1], 'epoch', epoch, 'top', 0, 'bytes', 0, 'server', server())
  return epoch, 0, 0
end
local function trim(bytes, events, most, oldest)
  local n = redis.call('LLEN', KEYS[2])
  while n > 0 do
    local e = redis.call('LINDEX', KEYS[2], 0)
    if n <= events and bytes <= most and tonumber(string.match(e, '^%d+')) >= oldest then break end
    redis.call('LPOP', KEYS[2])
    bytes, n = bytes - #e, n - 1
  end
  if n == 0 then bytes = 0 end
  redis.call('HSET', KEYS[1], 'bytes', bytes)
  return n
end
local function stay(ttl)
  redis.call('PEXPIRE', KEYS[1], ttl)
  redis.call('PEXPIRE', KEYS[2], ttl)
end
`
)

var (
	// open: KEYS meta events, ARGV new epoch, time to live, tags…
	// Returns epoch and top, or '' and the reason of the end.
	scriptOpen = newScript(true, luaLog+`
local epoch, top = log(ARGV[1], true)
if not epoch then return {'', top} end
for i = 3, #ARGV do redis.call('HSET', KEYS[1], 't:' .. ARGV[i], 1) end
stay(ARGV[2])
return {epoch, top}`)

	// append: KEYS meta events, ARGV new epoch, event, channel, events, bytes and
	// milliseconds to keep. Returns the offset, 0 without a log.
	scriptAppend = newScript(false, luaLog+`
local epoch, _, bytes = log(ARGV[1], false)
if not epoch then return 0 end
local t = now()
local e = t .. ':' .. ARGV[2]
local top = redis.call('HINCRBY', KEYS[1], 'top', 1)
redis.call('RPUSH', KEYS[2], e)
trim(bytes + #e, tonumber(ARGV[4]), tonumber(ARGV[5]), t - ARGV[6])
redis.call('PEXPIRE', KEYS[2], math.max(1, redis.call('PTTL', KEYS[1])))
redis.call('PUBLISH', ARGV[3], epoch .. '.' .. top .. ':' .. ARGV[2])
return top`)

	// read: KEYS meta events, ARGV epoch, offset, time to live, events, bytes and
	// milliseconds to keep. Returns nothing without a log, else epoch, top and, if
	// nothing is missing, the events.
	scriptRead = newScript(true, luaLog+`
local m = redis.call('HMGET', KEYS[1], 'epoch', 'top', 'bytes', 'server', 'ended')
if not m[1] or m[5] or m[4] ~= server() then return {} end
stay(ARGV[3])
local n = trim(tonumber(m[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), now() - ARGV[6])
local top, after = tonumber(m[2]), tonumber(ARGV[2])
if m[1] ~= ARGV[1] or after < top - n or after > top then return {m[1], top} end
return {m[1], top, redis.call('LRANGE', KEYS[2], n - (top - after), -1)}`)

	// end: KEYS meta events, ARGV new epoch, event, channel, reason, milliseconds
	// to remember it. Returns the tags. A full server does it, too.
	scriptEnd = newScript(true, `#!lua flags=allow-oom
`+luaLog+`
local epoch = log(ARGV[1], false)
if not epoch then return {} end
local top = redis.call('HINCRBY', KEYS[1], 'top', 1)
local tags = {}
for _, f in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(f, 1, 2) == 't:' then tags[#tags + 1] = string.sub(f, 3) end
end
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('HSET', KEYS[1], 'ended', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('PUBLISH', ARGV[3], epoch .. '.' .. top .. ':' .. ARGV[2])
return tags`)

	// keep: KEYS meta events, ARGV time to live. Returns epoch and top of a watched
	// log, '' if it is gone.
	scriptKeep = newScript(true, luaLog+`
local m = redis.call('HMGET', KEYS[1], 'epoch', 'top', 'server', 'ended')
if not m[1] or m[4] or m[3] ~= server() then return {'', 0} end
stay(ARGV[1])
return {m[1], tonumber(m[2])}`)

	// tag: KEYS tagged watched, ARGV time to live, session, watcher or ''
	scriptTag = newScript(true, luaNow+`
local t = now()
redis.call('ZADD', KEYS[1], 'GT', t + ARGV[1], ARGV[2])
if ARGV[3] ~= '' then redis.call('ZADD', KEYS[2], t + ARGV[1], ARGV[3]) end
for _, key in ipairs(KEYS) do
  redis.call('ZREMRANGEBYSCORE', key, '-inf', t)
  redis.call('PEXPIRE', key, ARGV[1])
end
return 1`)

	// members: KEYS a sorted set by deadline. Returns those that are not over.
	scriptMembers = newScript(true, luaNow+`
return redis.call('ZRANGE', KEYS[1], '(' .. now(), '+inf', 'BYSCORE')`)

	// beat: KEYS nodes, ARGV time to live, node
	scriptBeat = newScript(true, luaNow+`
local t = now()
redis.call('ZADD', KEYS[1], t + ARGV[1], ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', t)
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1`)
)
