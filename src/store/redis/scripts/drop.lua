-- Deletes a session; what others inherit of its journal is kept aside.
-- KEYS: record, entries, forks, heirs, kept
-- ARGV: journal; the fence of the lease under which it is deleted, or empty
-- Answers: done, gone, overtaken, lost
-- include parts/find.lua
-- include parts/state.lua
local has = redis.call('HMGET', KEYS[1], 'journal', 'state')
if not has[1] then return {'gone'} end
if has[1] ~= ARGV[1] then return {'overtaken'} end
if ARGV[2] ~= '' then
  local fence, _, _, _, _, turn = parse(has[2])
  if fence ~= ARGV[2] or turn == '-' then return {'lost'} end
end
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
