local nodes = KEYS[1] .. ':nodes'
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

local function users_of(node) return KEYS[1] .. ':node:' .. node end
local function nodes_of(user) return KEYS[1] .. ':user:' .. user end

local function is_alive(node)
  local dies = redis.call('ZSCORE', nodes, node)
  return dies and tonumber(dies) > now
end

local function is_online(user)
  for _, node in ipairs(redis.call('SMEMBERS', nodes_of(user))) do
    if is_alive(node) then return true end
  end
  return false
end

local function as_number(condition) return condition and 1 or 0 end

