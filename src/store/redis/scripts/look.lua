-- Who holds the session.
-- KEYS: record
-- Answers: found with fence, holder, since, expires, turn, and the server's time; gone
-- include parts/clock.lua
-- include parts/state.lua
local has = redis.call('HMGET', KEYS[1], 'state', 'holder', 'since')
if not has[1] then return {'gone'} end
local fence, _, _, _, expires, turn = parse(has[1])
return {'found', fence, has[2] or '', has[3] or '', expires, turn, text(nowMs())}
