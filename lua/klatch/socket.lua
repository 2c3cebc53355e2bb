--- Runs a client by LuaSocket's `select`: one loop for the server and whatever else a program reads.
-- @module klatch.socket

local socket = require("socket")

local Client = require("klatch.client")
local errors = require("klatch.errors")

local adapter = {}

-- How long to wait when there is nothing to wait for: signals still come through.
local FAR = 3600

--- A client that `run` will connect. See `klatch.client` for the options.
function adapter.client(options)
  local all = { gettime = socket.gettime }
  for key, value in pairs(options) do
    all[key] = value
  end
  return Client.new(all)
end

--- Connects, takes the name and enters the rooms.
-- This first time is not repeated (but for a `patient` client): what is wrong with it the program
-- had better know. From then on the client comes back by itself.
-- @return the client; or nil and an error
function adapter.connect(options)
  local client, why = adapter.client(options)
  if not client then
    return nil, why
  end
  -- The program has no handlers yet: what is told meanwhile waits for them.
  client.is_opening = true
  adapter.run(client, function()
    return client.core.was_ready or client.core:has_ended()
  end)
  client.is_opening = false
  if not client.core.was_ready then
    local _, failure = adapter.run(client)
    return nil, failure or errors.new("ended", "the client has ended")
  end
  return client
end

--- Has `act` called when the file descriptor `fd` can be read: a keyboard, a pipe.
-- It is called until it returns false.
function Client:watch(fd, act)
  self.watched = self.watched or {}
  local source = { act = act }
  function source.getfd()
    return fd
  end
  function source.dirty()
    return false
  end
  table.insert(self.watched, source)
  return self
end

local function wait(client)
  local link, reads, writes, seconds = client:wants()
  local readable, writable = {}, {}
  for _, source in ipairs(client.watched or {}) do
    table.insert(readable, source)
  end
  if link and reads then
    table.insert(readable, link)
  end
  if link and writes then
    table.insert(writable, link)
  end
  local ready = socket.select(readable, writable, math.min(seconds or FAR, FAR))
  for i = #(client.watched or {}), 1, -1 do
    local source = client.watched[i]
    if ready[source] and source.act() == false then
      table.remove(client.watched, i)
    end
  end
end

--- Runs a client until it has ended, or until `done` (a function, looked at after each turn).
-- @return true if it ended by logout or `done`; or nil and why it ended
function adapter.run(client, done)
  local ended
  if not client.watches_end then
    client.watches_end = true
    client:on("ended", function(event)
      client.end_event = event
    end)
  end
  while client:step() do
    if done and done() then
      return true
    end
    wait(client)
  end
  ended = client.end_event
  if ended and not ended.logout then
    return nil, ended.error
  end
  return true
end

--- Runs the client: see `run`.
function Client:run(done)
  return adapter.run(self, done)
end

--- Asks, and runs the client until the answer is there: `local list, why = client:call("members",
-- { room = "lobby" })`.
function Client:call(method, params)
  local answered, result, error
  local asked, why = self:request(method, params or {}, function(...)
    answered = true
    result, error = ...
  end)
  if not asked then
    return nil, why
  end
  adapter.run(self, function()
    return answered
  end)
  return result, error
end

return adapter
