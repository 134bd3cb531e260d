-- Takes in one record of the log: the line, the warning as it stands after it, and the position, all or nothing.
--
-- 1  taken in
-- 0  it was taken in before
-- -1 the record before it was not: nothing is done, the writer asks for the position
--
-- The rules kept here:
-- - What the memory's limit forbids fails at the first write. The position is written last, so that no failure
--   leaves a record out.
-- - Numbers pass through as text: Lua's would lose digits.
-- - Keys are declared, whatever comes from outside is an argument.
local position, lines, bodies, standings, lives, newest, stakes, open_newest, open_stakes, customers, settled, counts =
    unpack(KEYS)
local offset, before, seq, kind, line, id, at, word, severity, probability, loss, stake, customer, body =
    unpack(ARGV, 1, 14)
local keep_lines, keep_settled = ARGV[15], tonumber(ARGV[16])

local stored = redis.call('GET', position)
if stored and tonumber(stored) >= tonumber(offset) then return 0 end
if (stored or '') ~= before then return -1 end

-- A warning as it stands, in the order of layout.Row.
local CUSTOMER, MEMBER, STAKE, STATE, UPDATED, SEVERITY, PROBABILITY, LOSS, VERDICT, CARE = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10

local function is_open(row)
    return row[STATE] == 'raised' or row[STATE] == 'escalated'
end

local function count(row, by)
    redis.call('HINCRBY', counts, 'state ' .. row[STATE], by)
    if row[VERDICT] ~= '' then redis.call('HINCRBY', counts, 'verdict ' .. row[VERDICT], by) end
    if is_open(row) then redis.call('HINCRBY', counts, 'open ' .. row[SEVERITY], by) end
end

local function place(row)
    local member, is_settled = row[MEMBER], row[STATE] == 'withdrawn' or (not is_open(row) and row[VERDICT] ~= '')
    redis.call('HSET', standings, id, cmsgpack.pack(row))
    redis.call('ZADD', stakes, row[STAKE], member)
    if is_open(row) then
        redis.call('ZADD', open_newest, 0, member)
        redis.call('ZADD', open_stakes, row[STAKE], member)
    else
        redis.call('ZREM', open_newest, member)
        redis.call('ZREM', open_stakes, member)
    end
    if is_settled then redis.call('ZADD', settled, 'NX', seq, id) else redis.call('ZREM', settled, id) end
end

local function forget(old)
    local row = cmsgpack.unpack(redis.call('HGET', standings, old))
    redis.call('HDEL', standings, old)
    redis.call('HDEL', bodies, old)
    redis.call('HDEL', lives, old)
    redis.call('ZREM', newest, row[MEMBER])
    redis.call('ZREM', stakes, row[MEMBER])
    redis.call('ZREM', customers, row[CUSTOMER] .. '\0' .. row[MEMBER])
    redis.call('ZREM', settled, old)
end

local function done(result)
    redis.call('SET', position, offset)
    return result
end

if kind == 'unreadable' then return done(1) end

if kind == 'forget' then
    -- All warnings of one customer; the lines that tell of them are the writer's to delete.
    local begin = customer .. '\0'
    for _, found in ipairs(redis.call('ZRANGEBYLEX', customers, '[' .. begin, '(' .. customer .. '\1')) do
        local member = found:sub(#begin + 1)
        local old = member:sub(member:find('\0', 1, true) + 1)
        count(cmsgpack.unpack(redis.call('HGET', standings, old)), -1)
        redis.call('ZREM', open_newest, member)
        redis.call('ZREM', open_stakes, member)
        forget(old)
    end
    return done(1)
end

local packed = redis.call('HGET', standings, id)
local life = redis.call('HGET', lives, id)
life = life and cmsgpack.unpack(life) or {}
if packed and kind == 'raise' then return done(0) end
for _, known in ipairs(life) do
    if known == line then return done(0) end
end

redis.call('XADD', lines, 'MAXLEN', keep_lines, seq .. '-0', 'line', line)
if kind == 'raise' then
    local row = { customer, at .. '\0' .. id, stake, 'raised', at, severity, probability, loss, '', '' }
    redis.call('HSET', bodies, id, body)
    redis.call('ZADD', newest, 0, row[MEMBER])
    redis.call('ZADD', customers, 0, customer .. '\0' .. row[MEMBER])
    place(row)
    count(row, 1)
elseif packed then
    local row = cmsgpack.unpack(packed)
    count(row, -1)
    row[UPDATED] = at
    if kind == 'verdict' then
        row[VERDICT] = word
    elseif kind == 'care' then
        row[CARE] = body
    else
        row[STATE] = word
        if severity ~= '' then row[SEVERITY] = severity end
        if probability ~= '' then row[PROBABILITY] = probability end
        if loss ~= '' then row[LOSS], row[STAKE] = loss, stake end
    end
    place(row)
    count(row, 1)
    life[#life + 1] = line
    redis.call('HSET', lives, id, cmsgpack.pack(life))
end
local too_many = redis.call('ZCARD', settled) - keep_settled
if too_many > 0 then
    -- One is usual. More are only after the bound was lowered, and not all at once: others wait.
    for _, old in ipairs(redis.call('ZRANGE', settled, 0, math.min(too_many, 100) - 1)) do forget(old) end
end
return done(1)
