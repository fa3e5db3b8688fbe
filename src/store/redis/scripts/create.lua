-- Makes the record of a new session.
-- KEYS: record, entries, forks
-- ARGV: journal, retention; then the record's other fields and their values
-- Answers: done, exists
-- include parts/retain.lua
if redis.call('HGET', KEYS[1], 'journal') == ARGV[1] then return {'done'} end
if redis.call('EXISTS', KEYS[1]) == 1 then return {'exists'} end
redis.call('HSET', KEYS[1], 'journal', ARGV[1], unpack(ARGV, 3))
retain(KEYS[1], KEYS[2], KEYS[3], ARGV[2])
return {'done'}
