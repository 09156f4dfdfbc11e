package redisstore

import (
	"crypto/sha1"
	"encoding/hex"
)

// A script is run by its hash, and sent in full to a server that does not know
// it. All keys it touches are declared and lie in one slot.
type script struct {
	text, sha string
	// again: doing it twice is the same as doing it once, so it is repeated once
	// when a connection breaks.
	again bool
}

func newScript(again bool, text string) *script {
	sum := sha1.Sum([]byte(text))
	return &script{text: text, sha: hex.EncodeToString(sum[:]), again: again}
}

// Lua compares strings by the server's locale, so numbers are unpacked first.
// They are exact below 2^53, which milliseconds and generations stay.
//
// A full server looks at the first write of a script only, so that is one which
// needs memory.
const (
	// note(g, o, member, deadline, key deadline) enters a record into its owner's
	// index. The index lives as long as its longest record. So does the
	// generation, and a day more: if it went before the last record, of an older
	// generation or not, counting would begin again and revive what it had ended.
	luaNote = `
local function note(g, o, member, expires, last)
  redis.call('ZADD', o, 'GT', expires, member)
  if redis.call('PEXPIRETIME', o) < tonumber(last) then redis.call('PEXPIREAT', o, last) end
  redis.call('PEXPIREAT', g, last + 86400000, 'GT')
end
local function now()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
`
	// find(generations, owner) gives the owner's generation and where his entry
	// begins.
	luaFind = `
local function find(v, owner)
  local i = 1
  while v and i <= #v do
    local n = string.byte(v, i)
    if string.sub(v, i + 1, i + n) == owner then return struct.unpack('>I8', v, i + n + 1), i end
    i = i + n + 9
  end
  return 0, nil
end
`
)

var (
	// create: KEYS record [generation index]
	// ARGV value, deadline, key deadline, member, owner, linger
	// Returns the generation, or -1 if the record exists.
	scriptCreate = newScript(false, luaNote+luaFind+`
if redis.call('EXISTS', KEYS[1]) == 1 then return -1 end
local value, gen = ARGV[1], 0
if KEYS[2] then
  gen = find(redis.call('GET', KEYS[2]), ARGV[5])
  value = string.sub(value, 1, 18) .. struct.pack('>I8', gen) .. string.sub(value, 27)
end
redis.call('SET', KEYS[1], value, 'PXAT', ARGV[3])
if KEYS[2] then
  note(KEYS[2], KEYS[3], ARGV[4], ARGV[2], ARGV[3])
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now() - ARGV[6])
end
return gen`)

	// update: KEYS record [generation index]
	// ARGV expected head, value, owner with its length, deadline or '' to keep
	// it, key deadline, member
	// Returns 1, or the values of record and generation if the head or the owner
	// is another.
	scriptUpdate = newScript(false, luaNote+`
local h = redis.call('GETRANGE', KEYS[1], 0, 25 + #ARGV[3])
if string.sub(h, 1, 10) ~= ARGV[1] or string.sub(h, 27) ~= ARGV[3] then
  return redis.call('MGET', KEYS[1], KEYS[2] or KEYS[1])
end
local value = ARGV[2]
if ARGV[4] == '' then
  redis.call('SET', KEYS[1], string.sub(value, 1, 10) .. string.sub(h, 11, 18) .. string.sub(value, 19), 'KEEPTTL')
else
  redis.call('SET', KEYS[1], value, 'PXAT', ARGV[5])
end
if KEYS[3] then
  if string.byte(value, 2) % 2 == 1 then redis.call('ZREM', KEYS[3], ARGV[6])
  elseif ARGV[4] ~= '' then note(KEYS[2], KEYS[3], ARGV[6], ARGV[4], ARGV[5]) end
end
return 1`)

	// touch: KEYS record [generation index]
	// ARGV deadline as in the value, deadline, key deadline, member
	// A full server does it, too: it takes hardly any memory.
	scriptTouch = newScript(true, `#!lua flags=allow-oom
`+luaNote+`
local h = redis.call('GETRANGE', KEYS[1], 0, 17)
if #h < 18 or string.byte(h, 1) ~= 1 or string.byte(h, 2) % 2 == 1 then return 0 end
if struct.unpack('>I8', h, 11) >= tonumber(ARGV[2]) then return 0 end
redis.call('SETRANGE', KEYS[1], 10, ARGV[1])
redis.call('PEXPIREAT', KEYS[1], ARGV[3])
if KEYS[3] then note(KEYS[2], KEYS[3], ARGV[4], ARGV[2], ARGV[3]) end
return 1`)

	// revoke: KEYS record [generation index]
	// ARGV tombstone, its deadline, member
	// Returns 1 if it ended a live record, 0 if it had ended, -1 if there is none.
	// A full server does it, too.
	scriptRevoke = newScript(true, `#!lua flags=allow-oom
local h = redis.call('GETRANGE', KEYS[1], 0, 1)
if h == '' then return -1 end
if string.byte(h, 1) == 1 and string.byte(h, 2) % 2 == 1 then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PXAT', ARGV[2])
if KEYS[3] then redis.call('ZREM', KEYS[3], ARGV[3]) end
return 1`)

	// revoke owner: KEYS generation, index
	// ARGV owner, '' or the least generation wanted, linger
	// Returns the generation. A full server does it, too.
	scriptRevokeOwner = newScript(true, `#!lua flags=allow-oom
`+luaNote+luaFind+`
local v = redis.call('GET', KEYS[1]) or ''
local gen, at = find(v, ARGV[1])
local t = now()
if ARGV[2] == '' then gen = gen + 1
elseif gen >= tonumber(ARGV[2]) then return gen
else gen = tonumber(ARGV[2]) end
if at then v = string.sub(v, 1, at - 1) .. string.sub(v, at + #ARGV[1] + 9) end
local last = math.max(t, redis.call('PEXPIRETIME', KEYS[1]))
local top = redis.call('ZRANGE', KEYS[2], 0, 0, 'REV', 'WITHSCORES')[2]
if top then last = math.max(last, top + ARGV[3] + 86400000) end
redis.call('SET', KEYS[1], v .. string.char(#ARGV[1]) .. ARGV[1] .. struct.pack('>I8', gen), 'PXAT', math.max(last, t + 86400000))
return gen`)

	// home is the owner's half of what is done to a record in another slot:
	// KEYS generation, index
	// ARGV deadline, key deadline, member, linger, '1' to enter a new record
	// Returns the generations. It goes first: an entry without a record is
	// harmless, a record without its entry could outlive its generation.
	scriptHome = newScript(true, luaNote+`
if ARGV[5] == '1' then
  note(KEYS[1], KEYS[2], ARGV[3], ARGV[1], ARGV[2])
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now() - ARGV[4])
elseif redis.call('ZSCORE', KEYS[2], ARGV[3]) then
  note(KEYS[1], KEYS[2], ARGV[3], ARGV[1], ARGV[2])
else
  redis.call('PEXPIREAT', KEYS[1], ARGV[2] + 86400000, 'GT')
end
return redis.call('GET', KEYS[1])`)
)
