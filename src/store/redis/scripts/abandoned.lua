-- Intents that have been pending for too long.
-- KEYS: intents
-- ARGV: how long, in ms
-- include parts/clock.lua
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', text(nowMs() - tonumber(ARGV[1])), 'LIMIT', 0, 20)
