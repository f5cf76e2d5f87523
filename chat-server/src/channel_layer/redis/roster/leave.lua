-- ARGV: a node, and a user who is not connected to it any more. Tells whether they are online.
redis.call('SREM', users_of(ARGV[1]), ARGV[2])
redis.call('SREM', nodes_of(ARGV[2]), ARGV[1])
return {now, as_number(is_online(ARGV[2]))}
