-- Puts new facts in the place of those of a revision.
-- KEYS: record, entries, forks; the list of sessions, unless that is on another server
-- ARGV: session id, revision, facts, last activity or empty, fence or empty, lease's ttl, turn, retention
-- Answers: done with last activity and what that was before; gone, lost, overtaken
-- include parts/clock.lua
-- include parts/retain.lua
-- include parts/state.lua
local id, revision, facts, at, lease, ttlMs, running, retentionMs = unpack(ARGV)
local has = redis.call('HMGET', KEYS[1], 'state', 'revision')
if not has[1] then return {'gone'} end
local fence, head, sealed, before, expires, turn, write = parse(has[1])
if lease ~= '' and (fence ~= lease or turn == '-') then return {'lost'} end
if has[2] ~= revision then return {'overtaken'} end
if lease ~= '' then expires, turn = text(nowMs() + tonumber(ttlMs)), running end
local updated = at ~= '' and at or before
redis.call('HSET', KEYS[1], 'facts', facts, 'revision', text(tonumber(revision) + 1),
  'state', format(fence, head, sealed, updated, expires, turn, write))
retain(KEYS[1], KEYS[2], KEYS[3], retentionMs)
if KEYS[4] and updated ~= before then redis.call('ZADD', KEYS[4], updated, id) end
return {'done', updated, before}
