-- Session ids and times from the first one behind a place on. Of equal times the greater id comes first, and there
-- may be many of them, so the place is searched by halves.
-- KEYS: activity
-- ARGV: time and id of the place or empty, the time that all must be before or empty, how many
local time, id, before, wanted = unpack(ARGV)
local start = 0
if before ~= '' then start = redis.call('ZCOUNT', KEYS[1], before, '+inf') end
if time ~= '' then
  local low = redis.call('ZCOUNT', KEYS[1], '(' .. time, '+inf')
  local high = redis.call('ZCOUNT', KEYS[1], time, '+inf')
  while low < high do
    local middle = math.floor((low + high) / 2)
    if redis.call('ZREVRANGE', KEYS[1], middle, middle)[1] >= id then low = middle + 1 else high = middle end
  end
  start = math.max(start, low)
end
return redis.call('ZREVRANGE', KEYS[1], start, start + tonumber(wanted) - 1, 'WITHSCORES')
