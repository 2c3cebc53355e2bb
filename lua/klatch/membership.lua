--- The rooms of a client: entered, left, renamed. Part of `klatch.core`.
-- @module klatch.membership

local codec = require("klatch.codec")
local Room = require("klatch.room")

local membership = {}

--- Rooms that a client follows; a server that announces more is not believed.
membership.ROOMS = 1024

--- A seq past 2^53 - 1 is none that a room can reach.
function membership.are_numbers(...)
  for i = 1, select("#", ...) do
    if type((select(i, ...))) ~= "number" then
      return false
    end
  end
  return true
end

--- The client is not in a room any more.
function membership.gone(self, room, error)
  if self.rooms[room] then
    self.rooms[room] = nil
    self.room_count = self.room_count - 1
    self:push({ type = "gone", room = room, error = error })
  end
end

--- A room goes on under another name: with what was told of it, and with what is to be said in it.
function membership.rename(self, old, name, by)
  local room = self.rooms[old]
  self.rooms[old], self.rooms[name] = nil, room
  room.name, room.state.room, room.fetching = name, name, false
  for _, request in ipairs(self.requests:unacknowledged()) do
    if request.params.room == old then
      request.params.room = name
      request.frame = codec.request(request.id, request.method, request.params)
    end
  end
  self.behind = self.behind or room:is_behind()
  self:push({ type = "renamed", room = old, name = name, by = by })
end

--- The state of a room that the client is in, for the first time or again.
-- @return true; or nil and what is wrong with it
function membership.enter(self, state)
  if not membership.are_numbers(state.seq, state.first) then
    return nil, "a seq that is no place in a room"
  end
  local room = self.rooms[state.room]
  for name, other in pairs(not room and self.rooms or {}) do
    -- It was renamed while the client was away: its epoch tells.
    if other.is_stale and not (other.with or state.with) and other.epoch == state.epoch then
      membership.rename(self, name, state.room)
      room = other
      break
    end
  end
  if room then
    room.with = state.with
    room:enter(state)
    self.behind = self.behind or room:is_behind()
  elseif self.room_count < membership.ROOMS then
    self.rooms[state.room] = Room.new(state, self:teller())
    self.room_count = self.room_count + 1
  else
    return nil, "more than " .. membership.ROOMS .. " rooms"
  end
  local event = { type = "room" }
  for key, value in pairs(state) do
    event[key] = value
  end
  self:push(event)
  return true
end

return membership
