package rediskeeper

import "github.com/redis/rueidis"

// ASP.NET Core's cache (Microsoft.Extensions.Caching.StackExchangeRedis) keeps an
// entry as a hash: the value in data; absexp, the ticks of a fixed deadline, and
// sldexp, those of the time that a use adds, each -1 for none. Every read there sets
// the key's expiry anew from sldexp.

// scriptSwapHash is scriptSwap for such a hash. A new one gets the time that is left,
// in whole seconds, as its sldexp; one tick is 100 ns.
var scriptSwapHash = rueidis.NewLuaScript(`
local v = redis.call('HGET', KEYS[1], 'data')
if not v and ARGV[1] == '1' then return -1 end
if v and (ARGV[1] == '0' or v ~= ARGV[2]) then return 0 end
if ARGV[3] == '0' then
  redis.call('DEL', KEYS[1])
  return 1
end
redis.call('HSET', KEYS[1], 'data', ARGV[4])
if not v then
  local ticks = '-1'
  if ARGV[5] ~= '' then ticks = string.format('%d0000000', math.floor((tonumber(ARGV[5]) + 500) / 1000)) end
  redis.call('HSET', KEYS[1], 'absexp', '-1', 'sldexp', ticks)
end
if ARGV[5] ~= '' then redis.call('PEXPIRE', KEYS[1], ARGV[5]) end
return 1`)

func (k *Keeper) get(key string) rueidis.Completed {
	if k.opt.Hash {
		return k.client.B().Hget().Key(key).Field("data").Build()
	}
	return k.client.B().Get().Key(key).Build()
}

func (k *Keeper) scriptSwap() *rueidis.Lua {
	if k.opt.Hash {
		return scriptSwapHash
	}
	return scriptSwap
}
