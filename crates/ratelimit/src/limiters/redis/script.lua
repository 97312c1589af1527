-- One question about one key: corrections, what a process holds, and what it wants, at once.
--
-- Everything is a whole number below 2^53, which Lua counts exactly. Times are in microseconds of the server's own clock,
-- made monotone: `shift` is what has to be added to it. What is left of a limit is `t` tokens and `f` units of one more,
-- where a token is as many units as a minute has microseconds: a limit of n a minute gains n units each microsecond.
--
-- `at` is the time that the levels are those of. It may lie ahead: then somebody has been admitted for that time, and
-- nobody is admitted for an earlier one.
--
-- The same in Rust is `test_util/twin.rs`, and a test compares the two.

local TOKEN = 60000000
local HOUR = 3600000000
-- After so long every process has told what it holds, and after so long one that waits for a permit has gone away.
local HEARD = 6000000
local WAITING = 400000
-- Whoever has to wait for longer than this may be next by surprise, when whoever it waits for goes away.
local FAR = 1000000
local NEVER = 1000000000000000

local hash, holders = KEYS[1], KEYS[2]

local function arg(index)
    return tonumber(ARGV[index])
end

-- A whole quotient, toward zero.
local function quotient(number, divisor)
    return (number - math.fmod(number, divisor)) / divisor
end

local function earn(meter, span)
    if span <= 0 then return end
    local minutes = quotient(span, TOKEN)
    local units = (span - minutes * TOKEN) * meter.rate + meter.f
    local whole = quotient(units, TOKEN)
    meter.t = meter.t + minutes * meter.rate + whole
    meter.f = units - whole * TOKEN
    if meter.t >= meter.burst then meter.t, meter.f = meter.burst, 0 end
end

local function add(meter, tokens)
    meter.t = math.max(meter.t + tokens, -60 * meter.rate)
    if meter.t >= meter.burst then meter.t, meter.f = meter.burst, 0 end
end

-- Goes back in time: what was earned since is taken away again.
local function unearn(meter, span)
    local minutes = quotient(span, TOKEN)
    local units = meter.f - (span - minutes * TOKEN) * meter.rate
    local whole = units < 0 and -quotient(TOKEN - 1 - units, TOKEN) or 0
    meter.t = meter.t - minutes * meter.rate + whole
    meter.f = units - whole * TOKEN
end

-- How long until there are so many tokens.
local function wait_for(meter, tokens)
    local missing = tokens - meter.t
    if missing <= 0 then return 0 end
    if meter.rate == 0 then return NEVER end
    local minutes = quotient(missing, meter.rate)
    local units = (missing - minutes * meter.rate) * TOKEN - meter.f
    local span = quotient(units, meter.rate)
    if units > span * meter.rate then span = span + 1 end
    return minutes * TOKEN + span
end

local client, batch, held, most, lease = arg(1), arg(2), arg(3), arg(4), arg(5)
local away, idle, horizon, patience, wants, closed = arg(6), arg(7), arg(8), arg(9), arg(10), arg(11)
local age, undo = arg(12), arg(13)

local time = redis.call('TIME')
local clock = tonumber(time[1]) * 1000000 + tonumber(time[2])
local kept = redis.call('HMGET', hash, 'now', 'shift', 'at', 'last', 'slots', 't1', 'f1', 't2', 'f2', 't3', 'f3',
    'told', 'l1', 'l2', 'l3', 'number', 'first', 'until', 'shut', 'served')
local shift = tonumber(kept[2] or 0)
local now = clock + shift
local seen = tonumber(kept[1] or now)
if now < seen then
    shift = shift + seen - now
    now = seen
end
local at = tonumber(kept[3] or now)
local last = tonumber(kept[4] or 0)
local slots = tonumber(kept[5] or 0)
local base = math.max(now, at, now + closed)

-- No more time can have passed since anybody has asked than since this process has: a question that was held up on its way,
-- and comes in when the server goes on, earns nothing.
local span = base - at
if idle >= 0 then span = math.min(span, idle + base - math.max(now, at)) end

-- The limits that the service has told, by the newest request that any process has an answer to. They lower what is set.
local number = tonumber(kept[16] or 0)
local first, waits_until = tonumber(kept[17] or 0), tonumber(kept[18] or 0)
local shut, served = tonumber(kept[19] or 0), tonumber(kept[20] or 0)
if not kept[3] and (idle >= 0 or away > 0) then shut = now + HEARD end
local told = tonumber(kept[12] or -1)
local limits = { tonumber(kept[13] or -1), tonumber(kept[14] or -1), tonumber(kept[15] or -1) }
local is_news = age >= 0 and now - age > told
if is_news then told = now - age end

-- What was earned while the server could not be asked has gone to the local shares. Where nothing is kept although the
-- process has been here, the data was lost: it begins with what was earned since, not with a full burst.
local meters = {}
for index = 1, 3 do
    local place = 8 + 6 * index
    local meter = { rate = arg(place), burst = arg(place + 1), cost = arg(place + 2) }
    local word = arg(place + 5)
    if is_news and word >= 0 then limits[index] = word end
    local limit = limits[index]
    if meter.rate >= 0 then
        if limit >= 0 then
            -- A request is on its way for a while: without a hundredth of room, the last of a burst would be refused.
            meter.rate = math.min(meter.rate, limit)
            meter.burst = math.min(meter.burst, limit - math.min(quotient(limit + 99, 100), limit - 1))
        end
        meter.t, meter.f = tonumber(kept[4 + 2 * index] or meter.burst), tonumber(kept[5 + 2 * index] or 0)
        if kept[3] then
            earn(meter, span - away)
        elseif idle >= 0 or away > 0 then
            meter.t, meter.f = 0, 0
            earn(meter, idle - away)
        end
        add(meter, 0)
        local remaining = arg(place + 4)
        if remaining >= 0 and meter.t > remaining then
            meter.t, meter.f = remaining, TOKEN - 1
        end
        meters[index] = meter
    end
end
at = base

-- Whoever asks for the first time gets a name, which nobody else has.
if client == 0 then
    client = math.max(now, last + 1)
    last = client
end
local name = string.format('%.0f', client)

-- Corrections come in numbered batches: one that is told twice counts once. What a process holds is lent to it, and comes
-- back when it is not heard of any more.
local is_known = batch > 0 or most > 0
if is_known then
    for _, ended in ipairs(redis.call('ZRANGEBYSCORE', holders, '-inf', now, 'LIMIT', 0, 100)) do
        local lost = redis.call('HGET', hash, 'held:' .. ended)
        if lost then
            slots = slots - tonumber(lost)
            redis.call('HDEL', hash, 'held:' .. ended)
            redis.call('ZADD', holders, now + HOUR, ended)
        else
            redis.call('HDEL', hash, 'batch:' .. ended)
            redis.call('ZREM', holders, ended)
        end
    end
    local own = redis.call('HMGET', hash, 'batch:' .. name, 'held:' .. name)
    if batch > tonumber(own[1] or 0) then
        for index, meter in pairs(meters) do add(meter, arg(11 + 6 * index)) end
        redis.call('HSET', hash, 'batch:' .. name, batch)
        -- Whoever was admitted last, for a later time, has gone away: that time is free again.
        local back = base - now - closed
        if undo > 0 and undo == number and back > 0 then
            for _, meter in pairs(meters) do unearn(meter, back) end
            base = now + closed
            at = base
        end
    end
    slots = slots - tonumber(own[2] or 0) + held
end

local status, wait, again = 0, 0, 0
if wants > 0 then
    local small, waits
    for index = 3, 1, -1 do
        local meter = meters[index]
        if meter then
            wait = math.max(wait, wait_for(meter, meter.cost))
            if meter.cost > meter.burst then small = index end
        end
    end
    if small then
        status = 3
    elseif most > 0 and (slots >= most or now < shut) then
        status = 2
        waits = true
    elseif first > 0 and first ~= client and now < waits_until then
        -- Whoever waits is next: a process that gives back and asks again in one question is not.
        status, again = 1, quotient(horizon, 2)
        if most > 0 then status = 2 end
        wait = math.max(wait, again)
    elseif base - now > horizon then
        status, again = 1, base - now - quotient(horizon, 2)
        waits = base - now > FAR
    elseif base + wait - now > patience then
        status, again = 1, wait
    else
        at = base + wait
        for _, meter in pairs(meters) do
            earn(meter, wait)
            add(meter, -meter.cost)
        end
        number = number + 1
        if first == client then first, waits_until = 0, 0 end
        served = client
        if most > 0 then
            slots = slots + 1
            held = held + 1
        end
    end
    -- One that was served last lets every other one go first.
    if waits and (first == client or first == served or now >= waits_until) then
        first, waits_until = client, now + WAITING
    end
    wait = wait + base - now
    if small then wait, again = small, meters[small].burst end
end

local full = 0
local state = { 'now', now, 'shift', shift, 'at', at, 'last', last, 'slots', slots, 'told', told,
    'number', number, 'first', first, 'until', waits_until, 'shut', shut,
    'served', served }
for index, meter in pairs(meters) do
    full = math.max(full, wait_for(meter, meter.burst))
    local size = #state
    state[size + 1], state[size + 2] = 't' .. index, meter.t
    state[size + 3], state[size + 4] = 'f' .. index, meter.f
    state[size + 5], state[size + 6] = 'l' .. index, limits[index]
end
redis.call('HSET', hash, unpack(state))
local kept_for = at - now + full + HOUR
redis.call('PEXPIRE', hash, quotient(kept_for, 1000))
if is_known then
    if held > 0 then
        redis.call('HSET', hash, 'held:' .. name, held)
        redis.call('ZADD', holders, now + lease, name)
    else
        redis.call('HDEL', hash, 'held:' .. name)
        redis.call('ZADD', holders, now + HOUR, name)
    end
    redis.call('PEXPIRE', holders, quotient(kept_for + lease, 1000))
end
return { status, wait, again, client, number }
