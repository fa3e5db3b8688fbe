-- Takes the lease if it still is as the caller saw it; if it was not in force then, that must still be so.
-- KEYS: record
-- ARGV: write id; fence, holder, turn, and 1 for not in force, as they were seen; new holder, ttl
-- Answers: done with fence, since, expires; gone, overtaken
-- include parts/clock.lua
-- include parts/state.lua
local write, seen, holder, running, idle, taker, ttlMs = unpack(ARGV)
local has = redis.call('HMGET', KEYS[1], 'state', 'holder', 'since')
if not has[1] then return {'gone'} end
local fence, head, sealed, updated, expires, turn, last = parse(has[1])
if last == write then return {'done', fence, has[3], expires} end
if fence ~= seen or (has[2] or '') ~= holder or turn ~= running then return {'overtaken'} end
local now = nowMs()
if idle == '1' and tonumber(expires) > now then return {'overtaken'} end
local next, since, through = text(tonumber(fence) + 1), text(now), text(now + tonumber(ttlMs))
redis.call('HSET', KEYS[1], 'holder', taker, 'since', since,
  'state', format(next, head, sealed, updated, through, turn == '1' and '1' or '0', write))
return {'done', next, since, through}
