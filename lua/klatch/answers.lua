--- What the client does with what the server says: the second half of `klatch.core`.
-- It goes by the tables of the protocol, not by names: a method whose result is a `RoomState`
-- enters a room, an event that is stored stands in its room's order.
-- @module klatch.answers

local codec = require("klatch.codec")
local errors = require("klatch.errors")
local login = require("klatch.login")
local membership = require("klatch.membership")
local protocol = require("klatch.protocol")

local are_numbers, enter, gone = membership.are_numbers, membership.enter, membership.gone

local answers = {}

-- Live entries held back in all rooms together, while pages are fetched.
local HELD = 1024
-- Pages that are fetched at once.
local FETCHES = 4
-- Time until the rooms are entered; after it the callers' requests flow in any case.
local SETTLING = 5
-- Time for the goodbye of a first connection that is given up.
local FAREWELL = 2
-- Methods after which the session ends.
local LEAVING = { quit = true, logout = true, unregister = true }
-- How often a request with a key that the server could not do is asked again.
local TRIES = 8

function answers.online(self, now)
  self.phase, self.since = "online", now
  -- What an account was in and is not any more, under no name.
  for _, name in ipairs(self.left or {}) do
    if self.rooms[name] and self.rooms[name].is_stale then
      gone(self, name)
    end
  end
  self.left = nil
  if not self.was_ready then
    self.was_ready = true
    self:push({ type = "ready" })
  end
end

-- One room less to wait for; with the last the callers' requests flow.
local function settle(self, room, now)
  if self.phase ~= "settling" then
    return
  end
  if room then
    self.waiting[room] = nil
  end
  if not next(self.waiting) then
    answers.online(self, now)
  end
end

-- The first connection is not what the caller asked for. It ends politely: a guest's name that was
-- just taken would be kept for a while otherwise, also from the caller's next attempt.
local function give_up(self, error, now)
  if not self.failed then
    self.failed, self.leaving = error, true
    self.phase, self.until_at = "greeting", now + FAREWELL
    self:ask("quit", {}, "quit")
  end
end

-- A direct room is opened anew: its name does not outlive the server.
local function come_back(self, name, with)
  if with then
    return self:ask("direct", { name = with }, "return", name)
  end
  return self:ask("join", { room = name }, "return", name)
end

local own = {} -- what the core's own requests mean, by purpose

function own.hello(self, _, welcome, error)
  if error then
    return nil, error
  elseif welcome.version > protocol.version or welcome.version < protocol.version_min then
    return nil, "version " .. welcome.version .. " was chosen, which was not offered"
  end
  for name, value in pairs(welcome.limits) do
    -- What is past every number is no limit in practice.
    welcome.limits[name] = tonumber(value) or value
  end
  self.welcome, self.welcomed_at = welcome, self.heard
  self.requests:limit(welcome.limits)
  return login.take_name(self)
end

function own.login(self, request, answer, error, now)
  if error then
    if login.is_open(self, request.method, error) then
      return login.take_name(self)
    end
    return nil, error
  end
  login.held(self, answer)
  self:push({
    type = "connected",
    name = answer.name,
    server = self.welcome.server,
    motd = self.welcome.motd,
    account = self.is_account,
    admin = answer.admin,
    again = self.was_ready or false,
  })
  self.waiting = {}
  for i = 1, math.min(#answer.rooms, membership.ROOMS) do
    self.waiting[answer.rooms[i]] = true
  end
  local to_enter
  to_enter, self.left = login.rooms(self, self.waiting)
  for _, room in ipairs(to_enter) do
    self.waiting[room.name] = true
    local asked, wrong = come_back(self, room.name, room.with)
    if not asked then
      return nil, wrong
    end
  end
  self.phase, self.until_at = "settling", now + SETTLING
  settle(self, nil, now)
  return true
end

own["return"] = function(self, request, state, error, now)
  local room = request.room
  if state then
    local entered, why = enter(self, state)
    if not entered then
      return nil, why
    elseif state.room ~= room then
      gone(self, room)
    end
  elseif error.name == "not_found" and self.options.create and request.method == "join" then
    return self:ask("create", { room = room }, "return", room)
  elseif not self.was_ready then
    error.text = room .. ": " .. error.text
    give_up(self, error, now)
  elseif error.temporary then
    -- A server in trouble is tried again, from the start.
    return nil, error
  else
    gone(self, room, error)
  end
  settle(self, room, now)
  return true
end

--- A stored entry as the event that it was when it was live; one of a kind that a later version
-- has is an event of the type `entry`. A message is as it was at `head`, the newest seq of its page.
function answers.stored(room, entry, head)
  local event = {}
  for key, value in pairs(entry) do
    event[key] = value
  end
  local known = codec.events[entry.kind]
  event.type = known and known.stored and entry.kind or "entry"
  event.room, event.head, event.from_history = room, head, true
  return event
end

function own.fetch(self, request, page, error, now)
  local room = self.rooms[request.room]
  if not room then
    return true
  elseif error then
    local wait = error.temporary and (error.retry_after_ms or 0) / 1000 or nil
    room:page_refused(wait, now)
    return true
  end
  if not are_numbers(page.first, page.head) then
    return nil, "a seq that is no place in a room"
  end
  for _, entry in ipairs(page.entries) do
    if not are_numbers(entry.seq) then
      return nil, "a seq that is no place in a room"
    end
  end
  room:page(page, answers.stored)
  return true
end

-- What a caller's answer changes for the client itself.
local function note(self, request, result)
  if not result then
    -- A logout that was refused is no logout.
    self.leaving = self.leaving and not LEAVING[request.method]
  elseif codec.methods[request.method].result == "RoomState" then
    return enter(self, result)
  elseif request.method == "leave" then
    gone(self, request.params.room)
  end
  return true
end

--- An answer has come.
function answers.response(self, message, now)
  local request = self.requests:answered(message.id)
  if not request then
    return nil, "an answer to request " .. message.id .. ", which is not open"
  end
  local error = message.error and errors.refused(message.error)
  if request.own then
    local act = own[request.purpose]
    if act then
      return act(self, request, message.result, error, now)
    end
    return true
  end
  if error and request.key and request.tries < TRIES and errors.may_repeat(error) then
    request.tries = request.tries + 1
    local grown = 0.25 * 2 ^ request.tries
    self.requests:postpone(request, now + math.max((tonumber(error.retry_after_ms) or 0) / 1000, grown))
    return true
  end
  local noted, why = note(self, request, message.result)
  self:push({ type = "answer", request = request, result = message.result, error = error })
  return noted, why
end

local function live(self, event)
  local room = self.rooms[event.room]
  if not room then
    -- A room that was just left may still be heard of.
    return true
  elseif not are_numbers(event.seq) then
    return nil, "a seq that is no place in a room"
  end
  local held = 0
  for _, other in pairs(self.behind and self.rooms or {}) do
    held = held + #other.held
  end
  room:live(event.seq, event, held < HELD)
  self.behind = self.behind or room:is_behind()
  return true
end

local react = {} -- events that mean something to the client itself

function react.room(self, event, now)
  event.type = nil
  local entered, why = enter(self, event)
  if not entered then
    return nil, why
  end
  settle(self, event.room, now)
  return true
end

function react.ping(self)
  return self:ask("ping", {}, "ping")
end

function react.removed(self, event, now)
  local known = self.rooms[event.room]
  if known then
    self:push(event)
    gone(self, event.room)
  end
  settle(self, event.room, now)
  return true
end

function react.invited(self, event)
  self:push(event)
  return true
end

function react.configured(self, event)
  local room = self.rooms[event.room]
  if room then
    room.state.kind, room.state.announcement, room.state.slow_ms = event.kind, event.announcement, event.slow_ms
    self:push(event)
  end
  return true
end

function react.ranked(self, event)
  local room = self.rooms[event.room]
  if room then
    room.state.role = event.name == self.name and event.role or room.state.role
    self:push(event)
  end
  return true
end

function react.renamed(self, event, now)
  if self.rooms[event.room] and not self.rooms[event.name] then
    membership.rename(self, event.room, event.name, event.by)
  end
  settle(self, event.room, now)
  return true
end

function react.read(self, event)
  local room = self.rooms[event.room]
  if room and are_numbers(event.seq) then
    room.state.read = math.max(tonumber(room.state.read) or 0, event.seq)
    self:push(event)
  end
  return true
end

function react.bye(self, event)
  self.bye = event
  self:push(event)
  return true
end

--- An event has come.
function answers.event(self, message, now)
  local payload, name = message.payload, message.name
  if not message.known then
    self:push({ type = "unknown", name = name, payload = payload })
    return true
  end
  payload.type = name
  if react[name] then
    return react[name](self, payload, now)
  elseif codec.events[name].stored then
    return live(self, payload)
  end
  local room = payload.room and self.rooms[payload.room]
  if room and payload.members then
    room.state.members = payload.members
  end
  if room or not payload.room then
    self:push(payload)
  end
  return true
end

--- Tells what can be told, and asks for what is missing.
function answers.catch_up(self, now)
  if not self.behind or self.phase ~= "online" then
    return
  end
  self.behind = false
  local fetching = 0
  for _, room in pairs(self.rooms) do
    fetching = fetching + (room.fetching and 1 or 0)
  end
  for name, room in pairs(self.rooms) do
    room:drain()
    self.behind = self.behind or room:is_behind()
    local after = fetching < FETCHES and room:wants_page(now)
    if after then
      room.fetching, fetching = true, fetching + 1
      local limit = protocol.bounds.history_page
      self:ask("history", { room = name, after = after, limit = limit }, "fetch", name)
    end
  end
end

return answers
