/** Who inherits from whom, kept with the journal that is inherited from. */
import { search, state } from "./lua.ts";
import { script } from "./server.ts";

/**
 * Notes that a journal inherits from this one, which must be there still.
 * Keys: record, entries, forks, heirs. Arguments: journal, heir, last inherited seq, whether it must live.
 */
export const hold = script(`${state}
local journal, heir, seq, mustLive = unpack(ARGV)
local has = redis.call('HMGET', KEYS[1], 'journal', 'state')
if has[1] == journal then
  local _, _, sealed = parse(has[2])
  if tonumber(seq) > tonumber(sealed) then return {'beyond', sealed} end
  redis.call('HSET', KEYS[3], heir, seq)
  redis.call('PERSIST', KEYS[1])
  redis.call('PERSIST', KEYS[2])
  return {'done'}
end
local kept = redis.call('EXISTS', KEYS[4]) == 1 and redis.call('HEXISTS', KEYS[4], 'closing') == 0
if mustLive == '1' or not kept then return {'gone'} end
redis.call('HSET', KEYS[4], heir, seq)
return {'done'}
`);

/**
 * Deletes a session; what others inherit of its journal is kept aside.
 * Keys: record, entries, forks, heirs, kept. Arguments: journal.
 */
export const drop = script(`${search}
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
`);

/**
 * An heir is gone. Keys: record, forks, heirs, kept. Arguments: journal, heir.
 * `unused`: it was the last one of a deleted session; then what that one inherits is to be left as well.
 */
export const leave = script(`${search}
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
`);
