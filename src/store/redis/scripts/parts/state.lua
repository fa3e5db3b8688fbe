-- What every append changes, in one field of the record because each field costs time: fence, head, sealed,
-- last activity, expiry, turn (0, 1, or - while nobody holds the lease), and the id of the last write.
local function parse(state)
  return string.match(state, '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+)$')
end
local function format(...) return table.concat({...}, ' ') end
