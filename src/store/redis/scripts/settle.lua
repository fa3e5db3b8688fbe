-- Ends an intent.
-- KEYS: activity, intents
-- ARGV: intent, session id, last activity or empty for none
if ARGV[3] == '' then redis.call('ZREM', KEYS[1], ARGV[2]) else redis.call('ZADD', KEYS[1], ARGV[3], ARGV[2]) end
redis.call('ZREM', KEYS[2], ARGV[1])
return {'done'}
