-- Keeps a lock for longer if it is still its owner's; 0 gives it back.
-- KEYS: lock
-- ARGV: owner, for how many ms
-- Answers: 1, or 0 if somebody else has it
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
