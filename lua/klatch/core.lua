--- The client without its socket: bytes, requests and times go in; bytes and events come out.
-- It does no I/O, reads no clock and has no source of chance of its own: whoever drives it gives
-- all three. `klatch.socket` does so with LuaSocket, `klatch.luv` with libuv.
--
--     offline --opened--> greeting --login answered--> settling --rooms entered--> online
--        ^                hello, login                join what the server      callers' requests
--        '---- lost <---- from any of them            did not keep              flow; catching up
--
-- Times are seconds, of a clock that does not go back.
-- @module klatch.core

local answers = require("klatch.answers")
local codec = require("klatch.codec")
local errors = require("klatch.errors")
local Frames = require("klatch.frames")
local keys = require("klatch.keys")
local pace = require("klatch.pace")
local protocol = require("klatch.protocol")
local Requests = require("klatch.requests")
local Room = require("klatch.room")

local Core = {}
Core.__index = Core

-- Time for `hello` and `login`.
local GREETING = 10
-- A session that lasted so long makes the next wait a short one.
local STABLE = 60
-- Bytes that `take` gives at once; frames beyond stay here.
local OUTPUT = protocol.bounds.frame_bytes
-- Events that wait to be taken before the caller should not read its socket.
local STUFFED = 4096

--- A client that is not connected.
-- @tparam table options
--   `name`: the name to be known by.
--   `random`: function of a number that gives so many bytes of a cryptographic random source.
--   `rooms`: names of rooms to join, besides those that the server puts everybody in.
--   `create`: whether a room that does not exist is made.
--   `program`: name and version, for the operator's eyes.
--   `login`: further parameters of `login`.
--   `password`: that of the account of this name; it is forgotten after the login.
--   `register`: whether the account is made, with that password; `invite`: the code, if one is needed.
--   `device`: what the account's list of devices calls this one.
--   `token`: the token of an earlier login, which takes its name again.
--   `positions`: what `core:positions()` gave in an earlier run: what was missed since is told.
--   `patient`: whether a first connection that fails is tried again, as later ones are.
function Core.new(options)
  assert(type(options.name) == "string", "name is missing")
  assert(options.random, "random is missing: a function that gives so many random bytes")
  local self = setmetatable({
    options = options,
    phase = "offline",
    requests = Requests.new(),
    rooms = {},
    room_count = 0,
    token = options.token,
    password = options.password,
    register = options.register,
    heard = 0,
    ids = 0,
    backoff = pace.backoff(),
    events = {},
    first = 1,
    last = 0,
  }, Core)
  for name, position in pairs(options.positions or {}) do
    self.rooms[name] = Room.known(name, position.epoch, position.seq, self:teller())
    self.room_count = self.room_count + 1
  end
  return self
end

--- Function that queues an event.
function Core:teller()
  return function(event)
    self:push(event)
  end
end

function Core:push(event)
  self.last = self.last + 1
  self.events[self.last] = event
end

--- The next event, or nil. See the list of events in the README.
function Core:next()
  local event = self.events[self.first]
  if event then
    self.events[self.first] = nil
    self.first = self.first + 1
  end
  return event
end

--- Whether so many events wait that the socket should not be read.
function Core:is_stuffed()
  return self.last - self.first + 1 >= STUFFED
end

function Core:is_online()
  return self.phase == "online"
end

--- Whether the token is of no use any more: the client logged out, or was logged out.
function Core:is_logged_out()
  local told = self.ended_by
  return told ~= nil and (told.name == "revoked" or (told.code == 0 and self.leaving ~= "quit"))
end

--- Whether nothing more will happen.
function Core:has_ended()
  return self.phase == "ended"
end

-- Ids count up; one that is still unanswered after four thousand million is passed over.
local function next_id(self)
  repeat
    self.ids = (self.ids + 1) % 4294967296
  until not self.requests.sent[self.ids]
  return self.ids
end

--- The core's own request.
function Core:ask(method, params, purpose, room)
  local id = next_id(self)
  local frame, why = codec.request(id, method, params)
  if not frame then
    return nil, errors.new("usage", why)
  end
  local request = { id = id, frame = frame, own = true, method = method, purpose = purpose, room = room }
  self.requests:push(request)
  return true
end

--- The connection stands: says hello.
function Core:opened(now)
  self.heard, self.pinged, self.bye = now, false, nil
  self.frames = Frames.new(protocol.bounds.frame_bytes)
  self.phase, self.until_at = "greeting", now + GREETING
  return self:ask("hello", {
    version = protocol.version,
    version_min = protocol.version_min,
    client = self.options.program,
  }, "hello")
end

-- A method with the parameter `key` can be repeated without being done twice.
local function has_key(method)
  for _, field in ipairs(method.params) do
    if field.name == "key" and field.shape[1] == "bin" then
      return field.shape.size
    end
  end
end

-- The server's clock, as nearly as it is known: this one may be wrong.
local function server_time(self)
  local told = self.welcome and tonumber(self.welcome.time)
  return told and told + (self.heard - self.welcomed_at) * 1000
end

-- Methods after which the session ends by the client's own will.
local LEAVING = { quit = true, logout = true, unregister = true }

local function copy(values)
  local copied = {}
  for key, value in pairs(values or {}) do
    copied[key] = value
  end
  return copied
end

--- A caller's request. One with a key is kept until it is answered, over lost connections too.
-- @tparam string method
-- @tparam table params
-- @param[opt] callback function of the result, or of nil and an error
-- @return the request, with `key` if it has one; or nil and an error, and nothing was asked
function Core:request(method, params, callback)
  local declared = codec.methods[method]
  if not declared then
    return nil, errors.new("usage", "there is no method " .. tostring(method))
  end
  if self.phase == "ended" then
    return nil, errors.new("ended", "the client has ended")
  elseif not self.requests:accepts() then
    return nil, errors.new("full", "too many requests are waiting already")
  end
  params = copy(params)
  local size = has_key(declared)
  if size and not params.key then
    params.key = keys.new(size, self.options.random, server_time(self))
  end
  if self.phase == "offline" and not params.key then
    return nil, errors.new("disconnected", "there is no connection")
  end
  local id = next_id(self)
  local frame, why = codec.request(id, method, params)
  if not frame then
    return nil, errors.new("usage", why)
  end
  local allowed = (self.requests.frame_bytes or protocol.bounds.frame_bytes) + protocol.bounds.frame_header_bytes
  if #frame > allowed then
    return nil, errors.new("usage", method .. " is longer than a frame may be")
  end
  local request = {
    id = id,
    frame = frame,
    method = method,
    params = params,
    key = params.key,
    callback = callback,
    tries = 0,
  }
  self.leaving = self.leaving or LEAVING[method] and method
  self.requests:push(request)
  return request
end

--- Requests with a key that are not acknowledged: `{ { method, params }, ... }`, in their order.
-- Store them to ask them again in another run, with `request`: their key makes sure that nothing
-- is done twice.
function Core:outbox()
  local all = {}
  for _, request in ipairs(self.requests:unacknowledged()) do
    if request.key then
      table.insert(all, { method = request.method, params = copy(request.params) })
    end
  end
  return all
end

--- Up to where each room was told: `{ [room] = { epoch, seq } }`.
function Core:positions()
  local all = {}
  for name, room in pairs(self.rooms) do
    all[name] = { epoch = room.epoch, seq = room.last }
  end
  return all
end

--- Takes bytes from the connection, however they were cut.
-- @return true; or nil and an error: the connection is to be closed, and `lost` to be called with it
function Core:receive(bytes, now)
  self.heard, self.pinged = now, false
  self.frames:push(bytes)
  local function method_of(id)
    local request = self.requests.sent[id]
    return request and request.method
  end
  while true do
    local body, wrong = self.frames:next()
    if not body then
      if wrong then
        return nil, errors.new("protocol", "the server does not keep to the protocol: " .. wrong)
      end
      self:catch_up(now)
      return true
    end
    local message, why = codec.incoming(body, method_of)
    local went, error = message ~= nil, why
    if message and message.kind == "response" then
      went, error = answers.response(self, message, now)
    elseif message then
      went, error = answers.event(self, message, now)
    end
    if not went then
      if type(error) == "string" then
        error = errors.new("protocol", "the server does not keep to the protocol: " .. error)
      end
      return nil, error
    end
  end
end

--- Bytes to write now; an empty string if there are none.
function Core:take(now)
  local parts, size = {}, 0
  while size < OUTPUT do
    local frame = self.requests:next_frame(now, self.phase == "online")
    if not frame then
      break
    end
    parts[#parts + 1] = frame
    size = size + #frame
  end
  return table.concat(parts)
end

-- When to ping a silent server, when to give it up, and after how much silence.
local function keepalive(self)
  local limits = self.welcome and self.welcome.limits
  if not limits or self.phase == "offline" or self.phase == "ended" then
    return nil
  end
  -- The server pings first; these are for when it does not, and never absurdly short.
  local ping = math.max(limits.ping_ms / 1000, 1)
  local dead = math.max(limits.dead_ms / 1000, ping * 2)
  return self.heard + ping + 0.5, self.heard + dead, dead
end

--- Time has passed. As `receive`: nil and an error end the connection.
function Core:timer(now)
  if self.phase == "greeting" and self.until_at <= now then
    return nil, errors.new("silent", ("the server has been silent for %d s"):format(GREETING))
  elseif self.phase == "settling" and self.until_at <= now then
    answers.online(self, now)
  end
  local ping_at, dead_at, silence = keepalive(self)
  if ping_at and dead_at <= now then
    return nil, errors.new("silent", ("the server has been silent for %d s"):format(silence))
  elseif ping_at and ping_at <= now and not self.pinged then
    self.pinged = true
    self:ask("ping", {}, "ping")
  end
  self:catch_up(now)
  return true
end

--- When `timer` or `take` has something to do; nil if only bytes or requests can change anything.
-- `is_full` says that the caller still has bytes to write, and would not `take` more.
function Core:deadline(is_full)
  local least
  local function consider(at)
    if at then
      least = math.min(least or at, at)
    end
  end
  if self.phase == "greeting" or self.phase == "settling" then
    consider(self.until_at)
  end
  local ping_at, dead_at = keepalive(self)
  consider(self.pinged and dead_at or ping_at)
  if self.phase ~= "offline" and self.phase ~= "ended" then
    consider(not is_full and self.requests:next_at(self.phase == "online"))
    for _, room in pairs(self.behind and self.rooms or {}) do
      consider(room:retry_at())
    end
  end
  return least
end

-- Tells those who asked what became of their requests.
local function fail(self, requests, error)
  for _, request in ipairs(requests) do
    self:push({ type = "answer", request = request, error = error })
  end
end

--- The connection was lost, or could not be opened.
-- @param cause an error of `klatch.errors`
-- @param jitter a random number from 0 to 1
-- @return how many seconds to wait before connecting again; nil if there is nothing to come back to
function Core:lost(cause, now, jitter)
  cause = self.failed or self.bye and errors.bye(self.bye) or cause
  self.bye = nil
  -- A server that restarts twice in a minute has not failed.
  if self.phase == "online" and (now - self.since >= STABLE or cause.name == "going_away") then
    self.backoff:reset()
  end
  for _, room in pairs(self.rooms) do
    room:lost()
  end
  local may_return = self.was_ready or (self.options.patient and not self.failed)
  if self.leaving or not may_return or not cause.temporary then
    self.phase, self.ended_by = "ended", cause
    fail(self, self.requests:lost(true), errors.new("ended", "the client has ended"))
    self:push({ type = "ended", error = cause, logout = cause.kind == "bye" and cause.code == 0 })
    return nil
  end
  self.phase = "offline"
  fail(self, self.requests:lost(), errors.new("disconnected", "the connection was lost before the answer came"))
  local hint = cause.retry_after_ms and cause.retry_after_ms / 1000
  local wait = self.backoff:next(hint, jitter)
  self:push({ type = "disconnected", error = cause, retry_in = wait })
  return wait
end

--- Tells what can be told, and asks for what is missing.
function Core:catch_up(now)
  return answers.catch_up(self, now)
end

return Core
