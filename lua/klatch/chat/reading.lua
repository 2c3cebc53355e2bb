--- How far an account has read: what its other devices are told.
-- @module klatch.chat.reading

local Reading = {}
Reading.__index = Reading

-- Seconds between two marks.
local EVERY = 1

function Reading.new(client)
  return setmetatable({ client = client, seen = {}, waiting = false }, Reading)
end

local function mark(self)
  self.waiting = false
  for room, seq in pairs(self.seen) do
    if self.client:room(room) then
      -- It is no news if it fails: the next mark says more.
      self.client:request("mark_read", { room = room, seq = seq }, function() end)
    end
  end
  self.seen = {}
end

--- A person has seen a room up to this seq. A guest's reading is nobody's business.
function Reading:saw(room, seq)
  local state = self.client:room(room)
  local known = math.max(self.seen[room] or 0, state and tonumber(state.read) or 0)
  if not self.client.core.is_account or seq <= known then
    return
  end
  self.seen[room] = seq
  if not self.waiting then
    self.waiting = true
    self.client:after(EVERY, function()
      mark(self)
    end)
  end
end

return Reading
