-- Finds the block that holds an entry: the last one that does not begin behind it.
local function firstOf(block) return tonumber(string.match(block, '^%d+')) end
local function find(list, seq)
  local low, high = 0, redis.call('LLEN', list) - 1
  while low < high do
    local middle = math.ceil((low + high) / 2)
    if firstOf(redis.call('LINDEX', list, middle)) <= seq then low = middle else high = middle - 1 end
  end
  return low
end
