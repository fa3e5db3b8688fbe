-- Notes a creation or deletion before it begins.
-- KEYS: intents
-- ARGV: intent
-- include parts/clock.lua
redis.call('ZADD', KEYS[1], text(nowMs()), ARGV[1])
return {'done'}
