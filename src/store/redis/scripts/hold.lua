-- Notes that a journal inherits from this one, which must still be there.
-- KEYS: record, entries, forks, heirs
-- ARGV: journal, heir, last inherited seq
-- Answers: done, beyond with the last final entry, gone
-- include parts/state.lua
local journal, heir, seq = unpack(ARGV)
local has = redis.call('HMGET', KEYS[1], 'journal', 'state')
if has[1] == journal then
  local _, _, sealed = parse(has[2])
  if tonumber(seq) > tonumber(sealed) then return {'beyond', sealed} end
  redis.call('HSET', KEYS[3], heir, seq)
  redis.call('PERSIST', KEYS[1])
  redis.call('PERSIST', KEYS[2])
  return {'done'}
end
if redis.call('EXISTS', KEYS[4]) == 0 or redis.call('HEXISTS', KEYS[4], 'closing') == 1 then return {'gone'} end
redis.call('HSET', KEYS[4], heir, seq)
return {'done'}
