-- ARGV: a node, and users who are connected to it. Tells who of them was online before.
local answer = {now}
for place = 2, #ARGV do
  local user = ARGV[place]
  answer[place] = as_number(is_online(user))
  redis.call('SADD', users_of(ARGV[1]), user)
  redis.call('SADD', nodes_of(user), ARGV[1])
end
return answer
