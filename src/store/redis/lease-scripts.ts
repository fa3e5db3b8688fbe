/** Leases, by the server's clock. */
import { clock, state } from "./lua.ts";
import { script } from "./server.ts";

/** Keys: record. Answers fence, holder, since, expires, turn, and the server's time. */
export const look = script(`${clock}${state}
local has = redis.call('HMGET', KEYS[1], 'state', 'holder', 'since')
if not has[1] then return {'gone'} end
local fence, _, _, _, expires, turn = parse(has[1])
return {'found', fence, has[2] or '', has[3] or '', expires, turn, text(nowMs())}
`);

/**
 * Takes the lease if it is still as the caller saw it; if the caller saw it run out, it must still be so.
 * Keys: record. Arguments: write, fence, holder, turn, run out (as seen); new holder, ttl.
 */
export const take = script(`${clock}${state}
local write, seen, holder, running, runOut, taker, ttl = unpack(ARGV)
local has = redis.call('HMGET', KEYS[1], 'state', 'holder', 'since')
if not has[1] then return {'gone'} end
local fence, head, sealed, updated, expires, turn, last = parse(has[1])
if last == write then return {'done', fence, has[3], expires} end
if fence ~= seen or (has[2] or '') ~= holder or turn ~= running then return {'overtaken'} end
local time = nowMs()
if runOut == '1' and tonumber(expires) > time then return {'overtaken'} end
local next, since, through = text(tonumber(fence) + 1), text(time), text(time + tonumber(ttl))
redis.call('HSET', KEYS[1], 'holder', taker, 'since', since,
  'state', format(next, head, sealed, updated, through, '0', write))
return {'done', next, since, through}
`);

/** Keys: record. Arguments: fence, ttl, turn, holder. */
export const renew = script(`${clock}${state}
local has = redis.call('HMGET', KEYS[1], 'state', 'since')
if not has[1] then return {'gone'} end
local fence, head, sealed, updated, _, turn, write = parse(has[1])
if fence ~= ARGV[1] or turn == '-' then return {'lost'} end
local expires = text(nowMs() + tonumber(ARGV[2]))
redis.call('HSET', KEYS[1], 'holder', ARGV[4],
  'state', format(fence, head, sealed, updated, expires, ARGV[3], write))
return {'done', has[2], expires}
`);

/** Keys: record. Arguments: fence. */
export const release = script(`${state}
local now = redis.call('HGET', KEYS[1], 'state')
if not now then return {'gone'} end
local fence, head, sealed, updated, _, _, write = parse(now)
if fence ~= ARGV[1] then return {'lost'} end
redis.call('HDEL', KEYS[1], 'holder', 'since')
redis.call('HSET', KEYS[1], 'state', format(fence, head, sealed, updated, '0', '-', write))
return {'done'}
`);
