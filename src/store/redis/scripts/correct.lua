-- Corrects a place in the list of sessions if it still is as it was seen.
-- KEYS: activity
-- ARGV: session id, last activity as seen, the true one or empty for none
-- Answers: done, overtaken
if redis.call('ZSCORE', KEYS[1], ARGV[1]) ~= ARGV[2] then return {'overtaken'} end
if ARGV[3] == '' then redis.call('ZREM', KEYS[1], ARGV[1]) else redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1]) end
return {'done'}
