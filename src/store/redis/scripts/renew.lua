-- Extends a lease and keeps its holder and turn.
-- KEYS: record
-- ARGV: fence, ttl, turn, holder
-- Answers: done with since and expires; gone, lost
-- include parts/clock.lua
-- include parts/state.lua
local has = redis.call('HMGET', KEYS[1], 'state', 'since')
if not has[1] then return {'gone'} end
local fence, head, sealed, updated, _, turn, write = parse(has[1])
if fence ~= ARGV[1] or turn == '-' then return {'lost'} end
local expires = text(nowMs() + tonumber(ARGV[2]))
redis.call('HSET', KEYS[1], 'holder', ARGV[4],
  'state', format(fence, head, sealed, updated, expires, ARGV[3], write))
return {'done', has[2], expires}
