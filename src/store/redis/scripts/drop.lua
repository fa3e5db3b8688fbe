-- Deletes a session; what others inherit of its journal is kept aside.
-- KEYS: record, entries, forks, heirs, kept
-- ARGV: journal
-- Answers: done, gone, overtaken
-- include parts/find.lua
local journal = redis.call('HGET', KEYS[1], 'journal')
if not journal then return {'gone'} end
if journal ~= ARGV[1] then return {'overtaken'} end
redis.call('DEL', KEYS[1])
local last = 0
for _, seq in ipairs(redis.call('HVALS', KEYS[3])) do last = math.max(last, tonumber(seq)) end
if last == 0 then
  redis.call('DEL', KEYS[2])
  return {'done'}
end
redis.call('RENAME', KEYS[3], KEYS[4])
redis.call('RENAME', KEYS[2], KEYS[5])
redis.call('LTRIM', KEYS[5], 0, find(KEYS[5], last))
return {'done'}
