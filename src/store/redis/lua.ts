/** Pieces that several scripts begin with. Numbers stay texts wherever they can: Lua's own would lose digits. */

export const clock = `
local function nowMs()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local function text(number) return string.format('%.0f', number) end
`;

/**
 * What every append changes, in one field of the record, for each field has its price: fence, head, sealed,
 * last activity, expiry, turn (0, 1, or - while nobody holds a lease), and the id of the last write.
 */
export const state = `
local function parse(state)
  return string.match(state, '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+)$')
end
local function format(...) return table.concat({...}, ' ') end
`;

/** Finding the block that holds an entry: the last one that does not begin behind it. */
export const search = `
local function firstOf(block) return tonumber(string.match(block, '^%d+')) end
local function find(list, seq)
  local low, high = 0, redis.call('LLEN', list) - 1
  while low < high do
    local middle = math.ceil((low + high) / 2)
    if firstOf(redis.call('LINDEX', list, middle)) <= seq then low = middle else high = middle - 1 end
  end
  return low
end
`;

/** Lets a session's keys live on for the retention, unless it inherits or others inherit from it. */
export const retention = `
local function retain(record, list, forks, ms)
  if ms == '' then return end
  if redis.call('HGET', record, 'chain') ~= '[]' or redis.call('EXISTS', forks) == 1 then return end
  redis.call('PEXPIRE', record, ms)
  redis.call('PEXPIRE', list, ms)
end
`;
