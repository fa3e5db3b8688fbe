-- Gives a lease back.
-- KEYS: record
-- ARGV: fence
-- Answers: done, gone, lost
-- include parts/state.lua
local now = redis.call('HGET', KEYS[1], 'state')
if not now then return {'gone'} end
local fence, head, sealed, updated, _, _, write = parse(now)
if fence ~= ARGV[1] then return {'lost'} end
redis.call('HDEL', KEYS[1], 'holder', 'since')
redis.call('HSET', KEYS[1], 'state', format(fence, head, sealed, updated, '0', '-', write))
return {'done'}
