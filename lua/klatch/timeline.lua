--- What stands in the rooms now: messages with their edits, deletions and reactions.
-- It takes the events of a client and those made of pages of history, in any order, and keeps the
-- newest messages of each room as they are:
--
--     local timeline = Timeline.new()
--     client:on("*", function(event) timeline:take(event) end)
--
-- A message is a table with `room`, `seq`, `time`, `from`, `text`, and where there are any `re`,
-- `edited`, `deleted`, and `reactions`: `{ { text, count, names }, ... }`.
-- @module klatch.timeline

local bounds = require("klatch.protocol").bounds

local Timeline = {}
Timeline.__index = Timeline

-- Messages that are kept of each room.
local KEPT = 200

--- An empty one.
-- @param[opt] kept how many messages it keeps of each room; 200 if absent
function Timeline.new(kept)
  return setmetatable({ kept = kept or KEPT, rooms = {} }, Timeline)
end

-- Where `seq` stands in a list of messages, or would stand.
local function place(list, seq)
  local low, high = 1, #list + 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    if list[middle].seq < seq then
      low = middle + 1
    else
      high = middle
    end
  end
  return low
end

--- The message `seq` of a room as it is now, or nil if it is not known.
function Timeline:message(room, seq)
  local list = self.rooms[room] or {}
  local found = type(seq) == "number" and list[place(list, seq)]
  return found and found.seq == seq and found or nil
end

--- The message that is `back` before the newest one; deleted ones do not count.
-- @param[opt] from of this account only
function Timeline:newest(room, back, from)
  local list = self.rooms[room] or {}
  for i = #list, 1, -1 do
    local message = list[i]
    if not message.deleted and (not from or message.from == from) then
      if back == 0 then
        return message
      end
      back = back - 1
    end
  end
end

local function reactions_of(event)
  local all = {}
  for i, reaction in ipairs(event.reactions or {}) do
    local names = {}
    for j, name in ipairs(reaction.names) do
      names[j] = name
    end
    all[i] = { text = reaction.text, count = reaction.count, names = names }
  end
  return all
end

local function said(self, event)
  local list = self.rooms[event.room] or {}
  self.rooms[event.room] = list
  local at = place(list, event.seq)
  local known = list[at] and list[at].seq == event.seq and list[at]
  -- An entry of the history is as it was at the page's head.
  local as_of = event.head or event.seq
  if known and known.as_of >= as_of then
    return known
  end
  local message = {
    room = event.room,
    seq = event.seq,
    time = event.time,
    from = event.from,
    text = event.text,
    re = event.re,
    edited = event.edited,
    deleted = event.deleted,
    reactions = reactions_of(event),
    as_of = as_of,
  }
  if known then
    list[at] = message
    return message
  end
  table.insert(list, at, message)
  if #list > self.kept then
    table.remove(list, 1)
  end
  return message
end

local changes = {}

function changes.edit(message, event)
  message.text, message.edited = event.text, event.time
end

function changes.delete(message, event)
  message.text, message.deleted, message.reactions = "", event.time, {}
end

function changes.react(message, event)
  local all = message.reactions
  local reaction
  for _, known in ipairs(all) do
    reaction = known.text == event.text and known or reaction
  end
  if not reaction then
    if #all >= bounds.reaction_kinds then
      return
    end
    reaction = { text = event.text, count = 0, names = {} }
    all[#all + 1] = reaction
  end
  reaction.count = reaction.count + 1
  if #reaction.names < bounds.reaction_names then
    table.insert(reaction.names, event.from)
  end
end

function changes.unreact(message, event)
  for i, reaction in ipairs(message.reactions) do
    if reaction.text == event.text then
      reaction.count = reaction.count - 1
      for j, name in ipairs(reaction.names) do
        if name == event.from then
          table.remove(reaction.names, j)
          break
        end
      end
      if reaction.count <= 0 then
        table.remove(message.reactions, i)
      end
      return
    end
  end
end

-- A seq past 2^53 - 1, which is no number, is none that a room can reach.
local function has_place(event)
  return type(event.seq) == "number" and type(event.head or 0) == "number" and type(event.re or 0) == "number"
end

--- Takes an event; those that are about no message change nothing.
-- @return the message that it is or is about, as it is now; nil if that is not known
function Timeline:take(event)
  if event.type == "reset" or event.type == "gone" then
    self.rooms[event.room] = nil
  elseif event.type == "renamed" then
    self.rooms[event.room], self.rooms[event.name] = nil, self.rooms[event.room]
    for _, message in ipairs(self.rooms[event.name] or {}) do
      message.room = event.name
    end
  elseif not has_place(event) then
    return nil
  elseif event.type == "message" then
    return said(self, event)
  elseif changes[event.type] then
    local message = self:message(event.room, event.re)
    if message and message.as_of < event.seq then
      message.as_of = event.seq
      changes[event.type](message, event)
    end
    return message
  end
end

return Timeline
