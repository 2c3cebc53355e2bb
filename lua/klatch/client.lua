--- A client: the core, its connection, and the handlers of a program. It does what can be done now
-- in `step`; whoever runs it (`klatch.socket`, `klatch.luv`, a loop of your own) waits in between.
-- Every method of the protocol is a method of the client.
-- @module klatch.client

local Core = require("klatch.core")
local errors = require("klatch.errors")
local Link = require("klatch.link")
local pages = require("klatch.pages")
local protocol = require("klatch.protocol")
local Trust = require("klatch.trust")

local Client = {}
Client.__index = Client

-- A clock that does not go back: a system's clock that is set moves nothing here.
local function steady(gettime)
  local last, offset = gettime(), 0
  return function()
    local now = gettime() + offset
    if now < last then
      offset = offset + last - now
      now = last
    end
    last = now
    return now
  end
end

local function urandom(size)
  local file = assert(io.open("/dev/urandom", "rb"))
  file:setvbuf("no")
  local bytes = file:read(size)
  file:close()
  assert(bytes and #bytes == size, "/dev/urandom gives too little")
  return bytes
end

--- Reads `HOST`, `HOST:PORT`, an IPv6 address, or `[IPv6]:PORT`. Returns host and port, or nil.
function Client.address(text)
  local host, port = text:match("^%[([%x:.]+)%]:(%d+)$")
  if not host then
    host, port = text:match("^%[([%x:.]+)%]$"), ""
  end
  if not host then
    local _, colons = text:gsub(":", "")
    if colons > 1 then
      host, port = text, ""
    else
      host, port = text:match("^([^:]+):?(%d*)$")
    end
  end
  port = port == "" and protocol.port or tonumber(port)
  if not host or host:find("[%s%c/%[%]]") or not port or port > 65535 or text:find(":$") and not text:find("::$") then
    return nil
  end
  return host:lower(), port
end

--- A client that connects when it is run. Options are those of `klatch.core` and `klatch.trust`, and
--   `server`: `HOST[:PORT]`; this machine if absent.
--   `plain`: no TLS: everybody on the way can read and change everything. Meant for one machine.
--   `gettime`: function that gives seconds; `jitter`: function that gives a number from 0 to 1.
-- @return the client, or nil and an error
function Client.new(options)
  local host, port = Client.address(options.server or "127.0.0.1")
  if not host then
    local text = "%q is not a server's address: HOST or HOST:PORT is expected"
    return nil, errors.new("address", text:format(options.server))
  end
  local trust, why
  if not options.plain then
    trust, why = Trust.new(options)
    if not trust then
      return nil, why
    end
  end
  local core_options = { random = urandom, program = "klatch.lua" }
  for key, value in pairs(options) do
    core_options[key] = value
  end
  local self = setmetatable({
    host = host,
    port = port,
    trust = trust,
    core = Core.new(core_options),
    clock = steady(options.gettime),
    jitter = options.jitter or function()
      return urandom(1):byte() / 255
    end,
    handlers = {},
    timers = {},
    output = "",
  }, Client)
  self.connect_at = self.clock()
  return self
end

--- Has `handler` called with each event of this type; "*" stands for all types.
function Client:on(type, handler)
  self.handlers[type] = self.handlers[type] or {}
  table.insert(self.handlers[type], handler)
  return self
end

local function dispatch(self, event)
  if event.type == "answer" then
    if event.request.callback then
      event.request.callback(event.result, event.error)
    elseif event.error then
      local request = event.request
      dispatch(self, { type = "refused", method = request.method, params = request.params, error = event.error })
    end
    return
  end
  for _, type in ipairs({ event.type, "*" }) do
    for _, handler in ipairs(self.handlers[type] or {}) do
      handler(event)
    end
  end
end

--- Calls `act` in `seconds`, and if `again` every so many seconds.
function Client:after(seconds, act, again)
  table.insert(self.timers, { at = self.clock() + seconds, act = act, every = again and seconds })
  return self
end

--- Calls `act` every so many seconds.
function Client:every(seconds, act)
  return self:after(seconds, act, true)
end

local function lost(self, why)
  if self.link then
    self.link:close()
    self.link = nil
  end
  self.output, self.more = "", false
  local now = self.clock()
  local wait = self.core:lost(why, now, self.jitter())
  self.connect_at = wait and now + wait
end

local function connect(self, now)
  self.connect_at = nil
  local link, why = Link.open(self.host, self.port, self.trust, now)
  if not link then
    return lost(self, why)
  end
  self.link = link
end

local function read(self)
  if self.core:is_stuffed() then
    return true
  end
  local bytes, more, before = self.link:read()
  local got = bytes or before
  if got and got ~= "" then
    local sound, why = self.core:receive(got, self.clock())
    if not sound then
      return nil, why
    end
  end
  if not bytes then
    return nil, more
  end
  self.more = more
  return true
end

local function write(self)
  while true do
    if self.output == "" then
      self.output = self.core:take(self.clock())
      if self.output == "" then
        return true
      end
    end
    local count, why = self.link:write(self.output)
    if not count then
      -- The server does not listen any more; what it said before, a goodbye perhaps, still counts.
      read(self)
      return nil, why
    end
    self.output = self.output:sub(count + 1)
    if self.link.wants_write then
      return true
    end
  end
end

local function turn(self, now)
  if self.link.phase ~= "open" then
    local open, why = self.link:advance(now)
    if not open then
      return open, why
    elseif self.link.decided then
      -- To decide may have taken a person longer than a server waits for a login.
      self.link:close()
      connect(self, self.clock())
      return false
    end
    self.core:opened(self.clock())
  end
  for _, act in ipairs({ read, write }) do
    local went, why = act(self)
    if not went then
      return nil, why
    end
  end
  return self.core:timer(self.clock())
end

local function run_timers(self, now)
  local due = {}
  for i = #self.timers, 1, -1 do
    local timer = self.timers[i]
    if timer.at <= now then
      table.insert(due, 1, timer)
      if timer.every then
        timer.at = math.max(timer.at + timer.every, now)
      else
        table.remove(self.timers, i)
      end
    end
  end
  for _, timer in ipairs(due) do
    timer.act()
  end
end

--- Does all that can be done now, without waiting. Returns false when the client has ended.
function Client:step()
  local now = self.clock()
  if self.connect_at and self.connect_at <= now then
    connect(self, now)
  end
  if self.link then
    local went, why = turn(self, now)
    if went == nil then
      lost(self, why)
    end
  end
  run_timers(self, now)
  for event in function()
    return not self.is_opening and self.core:next() or nil
  end do
    dispatch(self, event)
  end
  if self.link and self.link.phase == "open" then
    local went, why = write(self)
    if not went then
      lost(self, why)
    end
  end
  return not self.core:has_ended() or self.core.first <= self.core.last
end

--- What to wait for before the next `step`: a socket for `select` (or nil), whether to wait until it
-- can be read and written, and for how many seconds at most (nil: for ever).
function Client:wants()
  local now, least = self.clock(), nil
  local function consider(at)
    if at then
      least = math.min(least or at, at)
    end
  end
  consider(self.connect_at)
  for _, timer in ipairs(self.timers) do
    consider(timer.at)
  end
  local link = self.link
  if not link then
    return nil, false, false, least and math.max(least - now, 0)
  end
  consider(link.phase ~= "open" and link.until_at or self.core:deadline(self.output ~= ""))
  if self.more or not self.is_opening and self.core.first <= self.core.last then
    least = now
  end
  local readable = link.wants_read and link.phase ~= "dialling" and not self.core:is_stuffed()
  return link.socket, readable, link.wants_write or self.output ~= "", least and math.max(least - now, 0)
end

--- Asks for a method by its name, with a table of parameters; see `klatch.core`.
function Client:request(method, params, callback)
  local request, why = self.core:request(method, params, callback)
  if request and self.wake then
    self.wake()
  end
  return request, why
end

-- Parameters given one after the other, in the order of their declaration.
local function named(method, ...)
  local params, count, callback = {}, select("#", ...), nil
  if count > 0 and type((select(count, ...))) == "function" then
    callback = select(count, ...)
    count = count - 1
  end
  local first = ...
  if count == 1 and type(first) == "table" then
    return first, callback
  end
  for i = 1, count do
    local field = method.params[i]
    if not field then
      return nil, ("%s has %d parameters"):format(method.name, #method.params)
    end
    params[field.name] = (select(i, ...))
  end
  return params, callback
end

for _, method in ipairs(protocol.methods) do
  -- What the library itself means by a name stays; `request` reaches the method in any case.
  Client[method.name] = Client[method.name]
    or function(self, ...)
      local params, callback = named(method, ...)
      if not params then
        return nil, errors.new("usage", callback)
      end
      return self:request(method.name, params, callback)
    end
end

--- The name as everybody sees it; nil before the first login.
function Client:name()
  return self.core.name
end

--- The state of a room that the client is in, or nil.
function Client:room(name)
  local room = self.core.rooms[name]
  return room and room.state
end

--- The names of the rooms that the client is in, in order.
function Client:room_names()
  local names = {}
  for name in pairs(self.core.rooms) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

--- Everything that a list, a history or a search holds, page by page; see `klatch.pages`.
function Client:collect(method, params, callback, most)
  return pages.collect(self, method, params, callback, most)
end

return Client
