-- Where the entry is that a seal begins with.
-- KEYS: record, entries
-- ARGV: its seq
-- Answers: found with the last write, how many blocks come before, and the block if it begins before the entry; gone
-- include parts/find.lua
-- include parts/state.lua
local now = redis.call('HGET', KEYS[1], 'state')
if not now then return {'gone'} end
local _, _, _, _, _, _, write = parse(now)
local at = find(KEYS[2], tonumber(ARGV[1]))
local block = redis.call('LINDEX', KEYS[2], at)
if not block or firstOf(block) >= tonumber(ARGV[1]) then block = '' end
return {'found', write, tostring(at), block}
