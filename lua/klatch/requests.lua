--- Requests from the moment they are asked until they are answered.
-- Never more are unanswered than the server takes; those with a key are kept over a lost connection
-- and leave again in the order in which they were asked. At most `WAITING` are kept.
-- @module klatch.requests

local bounds = require("klatch.protocol").bounds
local pace = require("klatch.pace")

local Requests = { WAITING = 1024 }
Requests.__index = Requests

-- Requests that are kept free for the core's own: an answer to `ping` must not wait for texts.
local RESERVED = 2

function Requests.new()
  return setmetatable({
    own = {},
    queue = {},
    later = {}, -- refused for a while: `at` says when to send them again
    sent = {}, -- by id
    unanswered = 0,
    callers = 0, -- of callers, in whatever table
    inflight = 1,
    count_rate = pace.bucket(0, 0),
    bytes_rate = pace.bucket(0, 0),
    asked = 0,
  }, Requests)
end

--- Takes over what the server advertised.
function Requests:limit(limits)
  self.inflight = math.max(1, math.min(limits.inflight, Requests.WAITING))
  self.count_rate = pace.bucket(limits.requests_per_s, limits.requests_burst)
  self.bytes_rate = pace.bucket(limits.bytes_per_s, limits.bytes_burst)
  self.frame_bytes = math.min(limits.frame_bytes, bounds.frame_bytes)
end

--- Whether another caller's request can be kept.
function Requests:accepts()
  return self.callers < Requests.WAITING
end

--- Queues a request: `id`, `frame`, `own` or not, `key` if it survives a lost connection.
function Requests:push(request)
  self.asked = self.asked + 1
  request.order = self.asked
  if request.own then
    table.insert(self.own, request)
  else
    self.callers = self.callers + 1
    table.insert(self.queue, request)
  end
end

local function by_order(a, b)
  return a.order < b.order
end

--- Moves back to the queue what was refused for a while, when its time has come.
function Requests:ripen(now)
  local waiting = {}
  for _, request in ipairs(self.later) do
    table.insert(request.at <= now and self.queue or waiting, request)
  end
  if #waiting < #self.later then
    table.sort(self.queue, by_order)
  end
  self.later = waiting
end

--- When the next frame may be written; nil if there is none, or an answer must come first.
-- Callers' requests wait while not `open`.
function Requests:next_at(open)
  local request, credit = self.own[1], self.inflight
  if not request then
    if not open then
      return nil
    end
    local at
    for _, waiting in ipairs(self.later) do
      at = math.min(at or waiting.at, waiting.at)
    end
    request, credit = self.queue[1], math.max(credit - RESERVED, 1)
    if not request then
      return at
    end
  end
  if self.unanswered >= credit then
    return nil
  end
  return math.max(self.count_rate:ready_at(1), self.bytes_rate:ready_at(#request.frame))
end

--- The next frame to write, if one may be sent now.
function Requests:next_frame(now, open)
  self:ripen(now)
  local at = self:next_at(open)
  if not at or at > now then
    return nil
  end
  local request = table.remove(self.own[1] and self.own or self.queue, 1)
  if not request then
    return nil
  end
  self.count_rate:spend(now, 1)
  self.bytes_rate:spend(now, #request.frame)
  self.sent[request.id] = request
  self.unanswered = self.unanswered + 1
  return request.frame
end

--- Takes the unanswered request `id` out of the table.
function Requests:answered(id)
  local request = self.sent[id]
  if request then
    self.sent[id] = nil
    self.unanswered = self.unanswered - 1
    self.callers = self.callers - (request.own and 0 or 1)
  end
  return request
end

--- Keeps a request that was refused for a while, to send it again at `at`.
function Requests:postpone(request, at)
  request.at = at
  self.callers = self.callers + 1
  table.insert(self.later, request)
end

local function all_of(self)
  local all = {}
  for _, request in pairs(self.sent) do
    if not request.own then
      table.insert(all, request)
    end
  end
  for _, list in ipairs({ self.queue, self.later }) do
    for _, request in ipairs(list) do
      table.insert(all, request)
    end
  end
  table.sort(all, by_order)
  return all
end

--- What is not acknowledged, in the order in which it was asked.
function Requests:unacknowledged()
  return all_of(self)
end

--- The connection was lost. What has a key will be sent again; the others are returned, and
-- everything if it is the `last` one.
function Requests:lost(last)
  local kept, failed = {}, {}
  for _, request in ipairs(all_of(self)) do
    table.insert(request.key and not last and kept or failed, request)
  end
  self.own, self.sent, self.later, self.unanswered = {}, {}, {}, 0
  self.queue, self.callers = kept, #kept
  return failed
end

return Requests
