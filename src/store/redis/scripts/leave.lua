-- An heir is gone.
-- KEYS: record, forks, heirs, kept
-- ARGV: journal, heir
-- Answers: living, gone, kept; unused if it was the last heir of a deleted session: then what that session
--          inherits is to be left as well
-- include parts/find.lua
local journal, heir = unpack(ARGV)
if redis.call('HGET', KEYS[1], 'journal') == journal then
  redis.call('HDEL', KEYS[2], heir)
  return {'living'}
end
if redis.call('EXISTS', KEYS[3]) == 0 then return {'gone'} end
local last = 0
local fields = redis.call('HGETALL', KEYS[3])
for at = 1, #fields, 2 do
  if fields[at] ~= heir and fields[at] ~= 'closing' then last = math.max(last, tonumber(fields[at + 1])) end
end
if last == 0 then
  redis.call('HSET', KEYS[3], 'closing', '0')
  return {'unused'}
end
redis.call('HDEL', KEYS[3], heir)
redis.call('LTRIM', KEYS[4], 0, find(KEYS[4], last))
return {'kept'}
