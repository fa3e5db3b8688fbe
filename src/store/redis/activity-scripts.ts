/** The list of sessions: a sorted set of ids by last activity, and beside it what is being changed in it. */
import { script } from "./server.ts";

/** Keys: intents. Arguments: intent. Notes a creation or deletion before it begins. */
export const intend = script(`
local time = redis.call('TIME')
redis.call('ZADD', KEYS[1], time[1] * 1000 + math.floor(time[2] / 1000), ARGV[1])
return {'done'}
`);

/** Ends an intent. Keys: activity, intents. Arguments: intent, id, last activity or empty for none. */
export const settle = script(`
if ARGV[3] == '' then redis.call('ZREM', KEYS[1], ARGV[2]) else redis.call('ZADD', KEYS[1], ARGV[3], ARGV[2]) end
redis.call('ZREM', KEYS[2], ARGV[1])
return {'done'}
`);

/** Corrects a place that still is as it was seen. Keys: activity. Arguments: id, seen, true place or empty. */
export const correct = script(`
if redis.call('ZSCORE', KEYS[1], ARGV[1]) ~= ARGV[2] then return {'overtaken'} end
if ARGV[3] == '' then redis.call('ZREM', KEYS[1], ARGV[1]) else redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1]) end
return {'done'}
`);

/**
 * Ids and times from the first one behind a place. Of equal times the greater id comes first, and there
 * may be many: the place is searched by halves. Keys: activity.
 * Arguments: time and id of the place or empty, time that all must be before or empty, how many.
 */
export const slice = script(`
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
`);

/** Intents that have been pending for ARGV ms. Keys: intents. */
export const abandoned = script(`
local time = redis.call('TIME')
local limit = time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(ARGV[1])
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', limit, 'LIMIT', 0, 20)
`);
