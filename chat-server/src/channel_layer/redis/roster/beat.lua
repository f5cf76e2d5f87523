-- ARGV: a node, for how many microseconds it lives on, and how many users of dead nodes to take out at most. Tells whether
-- the node is known, how many others there are, and which of those users are offline now.
local node, lasting, at_most = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local dead_nodes = KEYS[1] .. ':dead'

local is_known = redis.call('ZSCORE', nodes, node)
redis.call('ZADD', nodes, now + lasting, node)

-- What a dead node leaves is put aside, so that it may come back meanwhile, under the same name.
for _, dead in ipairs(redis.call('ZRANGEBYSCORE', nodes, '-inf', now)) do
  redis.call('ZREM', nodes, dead)
  if redis.call('EXISTS', users_of(dead)) == 1 then
    redis.call('SUNIONSTORE', KEYS[1] .. ':left:' .. dead, KEYS[1] .. ':left:' .. dead, users_of(dead))
    redis.call('DEL', users_of(dead))
    redis.call('SADD', dead_nodes, dead)
  end
end

local answer = {now, as_number(is_known), redis.call('ZCARD', nodes) - 1}
local taken = 0
for _, dead in ipairs(redis.call('SMEMBERS', dead_nodes)) do
  local left = KEYS[1] .. ':left:' .. dead
  local users = redis.call('SPOP', left, at_most - taken)
  for _, user in ipairs(users) do
    if redis.call('SISMEMBER', users_of(dead), user) == 0 then
      redis.call('SREM', nodes_of(user), dead)
    end
    if not is_online(user) then answer[#answer + 1] = tonumber(user) end
  end
  taken = taken + #users
  if redis.call('EXISTS', left) == 0 then redis.call('SREM', dead_nodes, dead) end
  if taken >= at_most then break end
end
return answer
