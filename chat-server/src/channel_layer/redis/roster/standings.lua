-- ARGV: a node, which does not matter, and users. Tells who of them is online.
local answer = {now}
for place = 2, #ARGV do answer[place] = as_number(is_online(ARGV[place])) end
return answer
