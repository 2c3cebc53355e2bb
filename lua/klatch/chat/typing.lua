--- Who is typing: what others are told, and what is shown of them.
-- @module klatch.chat.typing

local text = require("klatch.text")

local Typing = {}
Typing.__index = Typing

-- How often others are told, in seconds.
local EVERY = 4
-- Without news this is for how long somebody is taken to type.
local SHOWN = 10

--- `changed` is called when there is something else to show.
function Typing.new(client, changed)
  return setmetatable({ client = client, changed = changed, rooms = {}, told = {} }, Typing)
end

--- Takes an event: `typing`, or a message, which ends it.
function Typing:take(event)
  local typing = event.type == "typing" and event.active
  if (event.type ~= "typing" and event.type ~= "message") or event.from == self.client:name() then
    return
  end
  local who = self.rooms[event.room] or {}
  self.rooms[event.room] = who
  local was = who[event.from]
  who[event.from] = typing and self.client.clock() + SHOWN or nil
  if typing then
    self.client:after(SHOWN, self.changed)
  end
  if typing or was then
    self.changed()
  end
end

--- Who types in a room, in words; nil if nobody does.
function Typing:words(room)
  local names, now = {}, self.client.clock()
  for name, till in pairs(self.rooms[room] or {}) do
    if till > now then
      names[#names + 1] = text.line(name)
    end
  end
  if #names == 1 then
    return names[1] .. " is typing"
  end
  return #names > 0 and #names .. " are typing" or nil
end

--- A line is being written: tells the others now and then; a command is nobody's business.
function Typing:writes(room, line)
  local now = self.client.clock()
  if not room or line == "" or line:find("^/") or (self.told[room] or 0) > now then
    return
  end
  self.told[room] = now + EVERY
  self.client:request("typing", { room = room, active = true }, function() end)
end

--- What was written was said: the next letter is news again.
function Typing:said(room)
  self.told[room] = nil
end

return Typing
