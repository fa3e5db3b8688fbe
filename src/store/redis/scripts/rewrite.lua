-- Puts other blocks in the place of some in the middle of a journal, which hold as many entries.
-- KEYS: record, entries, forks; the list of sessions, unless that is on another server
-- ARGV: session id, write id, fence, lease's ttl, turn, retention, the last write when their place was looked up,
--       the number of the first block to be replaced and of the one behind the last; then the new blocks
-- Answers: done; gone, lost, overtaken
-- include parts/clock.lua
-- include parts/retain.lua
-- include parts/state.lua
local _, write, fence, ttlMs, turn, retentionMs, seen, first, behind = unpack(ARGV, 1, 9)
local now = redis.call('HGET', KEYS[1], 'state')
if not now then return {'gone'} end
local held, head, sealed, updated, _, running, last = parse(now)
if last == write then return {'done'} end
if held ~= fence or running == '-' then return {'lost'} end
if last ~= seen then return {'overtaken'} end
local rest = redis.call('LRANGE', KEYS[2], behind, -1)
if first == '0' then redis.call('DEL', KEYS[2]) else redis.call('LTRIM', KEYS[2], 0, first - 1) end
for block = 10, #ARGV, 4000 do
  redis.call('RPUSH', KEYS[2], unpack(ARGV, block, math.min(block + 3999, #ARGV)))
end
for block = 1, #rest, 4000 do
  redis.call('RPUSH', KEYS[2], unpack(rest, block, math.min(block + 3999, #rest)))
end
local expires = text(nowMs() + tonumber(ttlMs))
redis.call('HSET', KEYS[1], 'state', format(fence, head, sealed, updated, expires, turn, write))
retain(KEYS[1], KEYS[2], KEYS[3], retentionMs)
return {'done'}
