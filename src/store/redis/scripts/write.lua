-- Appends entries to a journal; a seal puts them in the place of its last ones and makes all final.
-- KEYS: record, entries, forks; the list of sessions, unless that is on another server
-- ARGV: session id, write id, fence, lease's ttl, turn, retention, head, last activity or empty, new head;
--       for a seal the first entry that it replaces, the last write when its place was looked up, and how many
--       blocks come before that place; then the new blocks
-- Answers: done with the head, last activity, and what that was before (empty if unknown); gone, lost, conflict
--          with the head, sealed with the last final entry, overtaken
-- include parts/clock.lua
-- include parts/retain.lua
-- include parts/state.lua
local id, write, fence, ttlMs, turn, retentionMs, expected, at, newHead, from, seen, kept = unpack(ARGV, 1, 12)
local now = redis.call('HGET', KEYS[1], 'state')
if not now then return {'gone'} end
local held, head, sealed, before, _, running, last = parse(now)
if last == write then return {'done', head, before, ''} end
if held ~= fence or running == '-' then return {'lost'} end
if head ~= expected then return {'conflict', head} end
local updated = at == '' and before or at
if from ~= '' then
  local first = tonumber(from)
  if first > tonumber(head) + 1 then return {'conflict', head} end
  if first <= tonumber(sealed) then return {'sealed', sealed} end
  if first <= tonumber(head) then
    if last ~= seen then return {'overtaken'} end
    if kept == '0' then redis.call('DEL', KEYS[2]) else redis.call('LTRIM', KEYS[2], 0, kept - 1) end
  end
  sealed = newHead
  if tonumber(updated) < tonumber(before) then updated = before end
end
for block = 13, #ARGV, 4000 do
  redis.call('RPUSH', KEYS[2], unpack(ARGV, block, math.min(block + 3999, #ARGV)))
end
local expires = text(nowMs() + tonumber(ttlMs))
redis.call('HSET', KEYS[1], 'state', format(fence, newHead, sealed, updated, expires, turn, write))
retain(KEYS[1], KEYS[2], KEYS[3], retentionMs)
if KEYS[4] and updated ~= before then redis.call('ZADD', KEYS[4], updated, id) end
return {'done', newHead, updated, before}
