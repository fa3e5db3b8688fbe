-- Blocks from the one that holds the first entry on, until they are enough in entries or bytes. The journal of a
-- session that is gone is found where it is kept for its heirs.
-- KEYS: record, entries, kept
-- ARGV: journal, first, last, entries, bytes, the block that may begin with the first entry
-- Answers: living or gone, head, sealed, the number of the block that comes next; then the blocks
-- include parts/find.lua
-- include parts/state.lua
local has = redis.call('HMGET', KEYS[1], 'journal', 'state')
local living, head, sealed, _ = has[1] == ARGV[1]
if has[2] then _, head, sealed = parse(has[2]) end
local list = living and KEYS[2] or KEYS[3]
local first, last, entries, bytes = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local at = tonumber(ARGV[6])
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
