-- Lets a session's keys live on for the retention, unless it inherits or others inherit from it.
local function retain(record, entries, forks, retentionMs)
  if retentionMs == '' then return end
  if redis.call('HGET', record, 'chain') ~= '[]' or redis.call('EXISTS', forks) == 1 then return end
  redis.call('PEXPIRE', record, retentionMs)
  redis.call('PEXPIRE', entries, retentionMs)
end
