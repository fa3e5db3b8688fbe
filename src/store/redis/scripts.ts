/**
 * What must happen at once within one session, in Lua. Every script answers with an array whose first
 * element says how it went.
 *
 * A write carries an id of its own. Finding that id as the last write, it knows that an earlier try of
 * itself got through, and answers as that one would have.
 */
import { clock, retention, search, state } from "./lua.ts";
import { script } from "./server.ts";

/** What an append and a seal do once they are found right: few commands, for each has its price. */
const write = `
local function push(list, first)
  for at = first, #ARGV, 4000 do
    redis.call('RPUSH', list, unpack(ARGV, at, math.min(at + 3999, #ARGV)))
  end
end
local function set(fence, head, sealed, before, updated)
  local expires = text(nowMs() + tonumber(ARGV[4]))
  redis.call('HSET', KEYS[1], 'state', format(fence, head, sealed, updated, expires, ARGV[5], ARGV[2]))
  retain(KEYS[1], KEYS[2], KEYS[3], ARGV[6])
  if KEYS[4] and updated ~= before then redis.call('ZADD', KEYS[4], updated, ARGV[1]) end
  return {'done', head, updated, before}
end
`;

/**
 * Keys: record, entries, forks, and the list of sessions unless that is on another server.
 * Answers the head, last activity, and what that was before: empty if unknown.
 * Arguments: id, write, fence, ttl, turn, retention, after, last activity or empty, seals, new head; blocks.
 */
export const append = script(`${clock}${retention}${state}${write}
local now = redis.call('HGET', KEYS[1], 'state')
if not now then return {'gone'} end
local fence, head, sealed, updated, _, turn, last = parse(now)
if last == ARGV[2] then return {'done', head, updated, ''} end
if fence ~= ARGV[3] or turn == '-' then return {'lost'} end
if head ~= ARGV[7] then return {'conflict', head} end
push(KEYS[2], 11)
local at, seals, moved = ARGV[8], ARGV[9] == '1', updated
if at ~= '' and (not seals or tonumber(at) > tonumber(updated)) then moved = at end
return set(fence, ARGV[10], seals and ARGV[10] or sealed, updated, moved)
`);

/**
 * Where entry ARGV[1] is, for a seal that begins there: the last write, how many blocks come before, and the
 * block if it begins before the entry. Keys: record, entries.
 */
export const locate = script(`${search}${state}
local now = redis.call('HGET', KEYS[1], 'state')
if not now then return {'gone'} end
local _, _, _, _, _, _, write = parse(now)
local at = find(KEYS[2], tonumber(ARGV[1]))
local block = redis.call('LINDEX', KEYS[2], at)
if not block or firstOf(block) >= tonumber(ARGV[1]) then block = '' end
return {'found', write, tostring(at), block}
`);

/**
 * Keys: as append. Arguments: id, write, fence, ttl, turn, retention, from, head, last activity or empty,
 * new head, the write before this one, blocks to keep; blocks.
 */
export const seal = script(`${clock}${retention}${state}${write}
local from, at = tonumber(ARGV[7]), ARGV[9]
local now = redis.call('HGET', KEYS[1], 'state')
if not now then return {'gone'} end
local fence, head, sealed, updated, _, turn, last = parse(now)
if last == ARGV[2] then return {'done', head, updated, ''} end
if fence ~= ARGV[3] or turn == '-' then return {'lost'} end
if head ~= ARGV[8] or from > tonumber(head) then return {'conflict', head} end
if from <= tonumber(sealed) then return {'sealed', sealed} end
if last ~= ARGV[11] then return {'overtaken'} end
local kept = tonumber(ARGV[12])
if kept == 0 then redis.call('DEL', KEYS[2]) else redis.call('LTRIM', KEYS[2], 0, kept - 1) end
push(KEYS[2], 13)
local moved = updated
if at ~= '' and tonumber(at) > tonumber(updated) then moved = at end
return set(fence, ARGV[10], ARGV[10], updated, moved)
`);

/**
 * Blocks from the one that holds entry ARGV first on, until they are enough in entries or bytes. A journal
 * whose session is gone is found as kept. Keys: record, entries, kept.
 * Arguments: journal, first, last, entries, bytes, the block that may begin with the first entry.
 * Answers state, head, sealed, and the block that comes next; blocks.
 */
export const page = script(`${search}${state}
local has = redis.call('HMGET', KEYS[1], 'journal', 'state')
local living, head, sealed, _ = has[1] == ARGV[1]
if has[2] then _, head, sealed = parse(has[2]) end
local list = living and KEYS[2] or KEYS[3]
local first, last, entries, bytes, at = unpack(ARGV, 2)
first, last, entries, bytes, at = tonumber(first), tonumber(last), tonumber(entries), tonumber(bytes), tonumber(at)
local result = {living and 'living' or 'gone', head or '', sealed or '', ''}
local hinted = redis.call('LINDEX', list, at)
if not hinted or firstOf(hinted) ~= first then at = find(list, first) end
local size, more = 1, true
while more do
  local chunk = redis.call('LRANGE', list, at, at + size - 1)
  more = #chunk == size
  local taken, length = 0, 0
  for _, block in ipairs(chunk) do
    local begins, count = string.match(block, '^(%d+) (%d+)')
    if tonumber(begins) > last or entries <= 0 or bytes <= 0 then
      more = false
      break
    end
    result[#result + 1] = block
    at, taken, length = at + 1, taken + tonumber(count), length + #block
    entries, bytes = entries - tonumber(count), bytes - #block
  end
  more = more and entries > 0 and bytes > 0
  -- As many more as it takes if they are like these: fetching a block costs more here than looking for it.
  if more then size = math.min(size * 4, math.ceil(entries * #chunk / taken), math.ceil(bytes * #chunk / length)) end
end
result[4] = tostring(at)
return result
`);

/** Keys: record, entries, forks. Arguments: journal, retention; fields and values of the record. */
export const create = script(`${retention}
if redis.call('HGET', KEYS[1], 'journal') == ARGV[1] then return {'done'} end
if redis.call('EXISTS', KEYS[1]) == 1 then return {'exists'} end
redis.call('HSET', KEYS[1], 'journal', ARGV[1], unpack(ARGV, 3))
retain(KEYS[1], KEYS[2], KEYS[3], ARGV[2])
return {'done'}
`);

/**
 * New facts in the place of those of revision ARGV[2].
 * Keys: as append. Arguments: id, revision, facts, last activity or empty, fence or empty, ttl, turn, retention.
 */
export const revise = script(`${clock}${retention}${state}
local id, revision, facts, at, lease, ttl, running, ms = unpack(ARGV)
local has = redis.call('HMGET', KEYS[1], 'state', 'revision')
if not has[1] then return {'gone'} end
local fence, head, sealed, updated, expires, turn, write = parse(has[1])
if lease ~= '' and (fence ~= lease or turn == '-') then return {'lost'} end
if has[2] ~= revision then return {'overtaken'} end
if lease ~= '' then expires, turn = text(nowMs() + tonumber(ttl)), running end
local moved = at ~= '' and at or updated
redis.call('HSET', KEYS[1], 'facts', facts, 'revision', text(tonumber(revision) + 1),
  'state', format(fence, head, sealed, moved, expires, turn, write))
retain(KEYS[1], KEYS[2], KEYS[3], ms)
if KEYS[4] and moved ~= updated then redis.call('ZADD', KEYS[4], moved, id) end
return {'done', moved, updated}
`);
