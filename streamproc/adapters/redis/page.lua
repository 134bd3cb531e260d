-- A page of warnings in descending order behind one of them, as one moment has them: { standing, body } of each.
local index, stakes, standings, bodies = unpack(KEYS)
local limit, after, by_stake = tonumber(ARGV[1]), ARGV[2], ARGV[3] == 'most_at_stake'

-- Redis sorts members by their bytes; Lua's own < would go by the server's locale.
local function below(a, b)
    for i = 1, math.min(#a, #b) do
        local x, y = string.byte(a, i), string.byte(b, i)
        if x ~= y then return x < y end
    end
    return #a < #b
end

-- The rank of the first that is behind `member`, which need not be in the index itself.
local function rank_behind(member)
    local score = by_stake and tonumber(redis.call('ZSCORE', stakes, member)) or 0
    local first, last = 0, redis.call('ZCARD', index)
    while first < last do
        local middle = math.floor((first + last) / 2)
        local found = redis.call('ZREVRANGE', index, middle, middle, 'WITHSCORES')
        local its = tonumber(found[2])
        if its < score or (its == score and below(found[1], member)) then last = middle else first = middle + 1 end
    end
    return first
end

local start = 0
if after ~= '' then
    local packed = redis.call('HGET', standings, after)
    if not packed then return {} end
    start = rank_behind(cmsgpack.unpack(packed)[2])
end
local found = {}
for _, member in ipairs(redis.call('ZREVRANGE', index, start, start + limit - 1)) do
    local id = string.sub(member, string.find(member, '\0', 1, true) + 1)
    found[#found + 1] = { redis.call('HGET', standings, id), redis.call('HGET', bodies, id) }
end
return found
