-- Helpers of the specs: the vectors of the protocol, and a server of a few lines that answers a core.
local json = require("dkjson")
local Core = require("klatch.core")
local cursor = require("klatch.cursor")
local Frames = require("klatch.frames")
local msgpack = require("klatch.msgpack")
local scan = require("klatch.scan")
local uint64 = require("klatch.uint64")

local support = {}

local top = os.getenv("KLATCH_TOP") or ".."

-- Bytes in the notation of tests/vectors: words of hexadecimal digits, `61*1024` for repetitions.
function support.bytes(text)
  local parts = {}
  for word in text:gmatch("%S+") do
    local digits, times = word:match("^(%x*)%*?(%d*)$")
    local run = digits:gsub("%x%x", function(pair)
      return string.char(tonumber(pair, 16))
    end)
    parts[#parts + 1] = run:rep(tonumber(times) or 1)
  end
  return table.concat(parts)
end

-- A value of the vectors as the library gives it.
function support.value(json_value)
  if type(json_value) ~= "table" then
    return json_value
  elseif json_value["$bin"] then
    return support.bytes(json_value["$bin"])
  elseif json_value["$uint"] then
    return json_value["$uint"]
  end
  local value = {}
  for key, item in pairs(json_value) do
    value[key] = support.value(item)
  end
  return value
end

function support.vectors(file)
  local handle = assert(io.open(top .. "/tests/vectors/" .. file .. ".json", "rb"))
  local text = handle:read("*a")
  handle:close()
  local vectors = assert(json.decode(text, 1, json.null))
  return vectors
end

-- Writes any value; `support.bin` marks bytes, `support.NIL` is nil.
support.NIL = {}

function support.bin(bytes)
  return setmetatable({ bytes = bytes }, { is_bin = true })
end

local function is_list(value)
  return #value > 0 or next(value) == nil and value ~= support.NIL and getmetatable(value) == "list"
end

function support.list(items)
  return setmetatable(items, { __metatable = "list" })
end

function support.pack(value)
  if type(value) == "string" then
    return msgpack.str(value)
  elseif type(value) == "number" then
    return msgpack.uint(value)
  elseif type(value) == "boolean" then
    return msgpack.bool(value)
  elseif value == support.NIL then
    return "\192"
  elseif type(getmetatable(value)) == "table" and getmetatable(value).is_bin then
    return msgpack.bin(value.bytes)
  end
  local parts, count = {}, 0
  if is_list(value) then
    for i, item in ipairs(value) do
      parts[i] = support.pack(item)
    end
    return msgpack.array(#value) .. table.concat(parts)
  end
  for key, item in pairs(value) do
    parts[#parts + 1] = msgpack.str(key) .. support.pack(item)
    count = count + 1
  end
  return msgpack.map(count) .. table.concat(parts)
end

function support.event(name, payload)
  return Frames.wrap(support.pack({ 2, name, support.list({ payload }) }))
end

function support.result(id, result)
  return Frames.wrap(support.pack({ 1, id, support.NIL, result }))
end

function support.refusal(id, code, name, more)
  local body = { code = code, name = name, text = name .. ".", applied = "no" }
  for key, value in pairs(more or {}) do
    body[key] = value
  end
  return Frames.wrap(support.pack({ 1, id, body, support.NIL }))
end

-- The requests in what a core wrote: `{ { id, method, params }, ... }`.
function support.requests(bytes)
  local frames, found = Frames.new(70000), {}
  frames:push(bytes)
  for body in function()
    return frames:next()
  end do
    local big = assert(scan.check(body))
    assert(cursor.head(body, 1) == "array")
    local parts = msgpack.decode(body, big)
    found[#found + 1] = { id = parts[2], method = parts[3], params = parts[4][1] }
  end
  return found
end

support.limits = {
  frame_bytes = 65536,
  frame_bytes_before_login = 4096,
  text_bytes = 16384,
  topic_bytes = 1024,
  name_bytes = 64,
  inflight = 32,
  requests_per_s = 0,
  requests_burst = 0,
  bytes_per_s = 0,
  bytes_burst = 0,
  rooms_per_session = 256,
  history_page = 200,
  list_page = 200,
  outbox_bytes = 1048576,
  outbox_ms = 5000,
  login_ms = 5000,
  ping_ms = 30000,
  dead_ms = 75000,
  idle_ms = 0,
}

function support.room(fields)
  local state = { room = "lobby", kind = "public", epoch = 7, seq = 0, first = 1, topic = "", members = 2,
    role = "member", announcement = false, slow_ms = 0 }
  for key, value in pairs(fields or {}) do
    state[key] = value
  end
  return state
end

function support.message(seq, more)
  local message = { room = "lobby", seq = seq, time = 1800000000000, from = "bob", text = "text " .. seq }
  for key, value in pairs(more or {}) do
    message[key] = value
  end
  return support.event("message", message)
end

-- A core with a source of chance that counts.
function support.core(options)
  local keys = 0
  local all = {
    name = "ann",
    random = function(size)
      keys = keys + 1
      return ("%0" .. size .. "d"):format(keys)
    end,
  }
  for key, value in pairs(options or {}) do
    all[key] = value
  end
  return Core.new(all)
end

-- Takes a core through hello and login into the lobby; `rooms` are further rooms of the login.
function support.login(core, now, state, limits)
  assert(core:opened(now))
  local hello = support.requests(core:take(now))[1]
  assert(core:receive(support.result(hello.id, {
    version = 1,
    server = "test",
    durability = "memory",
    capabilities = support.list({}),
    limits = limits or support.limits,
    time = 1800000000000,
    guests = true,
    registration = "open",
  }), now))
  local login = support.requests(core:take(now))[1]
  assert(core:receive(support.result(login.id, {
    name = "ann",
    guest = true,
    admin = false,
    token = support.bin(("t"):rep(32)),
    hold_ms = 1000,
    rooms = support.list({ "lobby" }),
  }), now))
  assert(core:receive(support.event("room", support.room(state)), now))
  return login, hello
end

-- All events that wait, but those of the types in `but`.
function support.events(core, but)
  local all = {}
  for event in function()
    return core:next()
  end do
    if not (but and but[event.type]) then
      all[#all + 1] = event
    end
  end
  return all
end

-- The events as short words: `message 4`, `gap 2-3`, `reset`.
function support.story(core)
  local words = {}
  for _, event in ipairs(support.events(core)) do
    local word = event.type
    if event.type == "gap" then
      word = word .. " " .. event.from .. "-" .. event.to
    elseif event.seq and event.type ~= "room" then
      word = word .. " " .. event.seq
    end
    words[#words + 1] = word
  end
  return words
end

support.uint64 = uint64
return support
