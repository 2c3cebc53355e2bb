--- One room as the client follows it: which entries were told, which are missing, which wait.
-- Entries are told in the order of `seq`, none twice; what is skipped is told as a gap or a reset,
-- never silently. While `last < head` the room is behind, for whatever reason, and there is one way
-- out of it: pages of history after `last`.
-- @module klatch.room

local bounds = require("klatch.protocol").bounds

local Room = {}
Room.__index = Room

-- Live entries that one room holds back; more are left to the history.
local HELD = 256
-- The pause after a page that the server refused.
local RETRY = 1

--- A room joined now: its history is no news. `tell` takes events.
function Room.new(state, tell)
  return setmetatable({
    name = state.room,
    with = state.with,
    state = state,
    epoch = state.epoch,
    last = state.seq,
    head = state.seq,
    held = {},
    fetch_at = 0,
    tell_event = tell,
  }, Room)
end

--- A room that was followed before, in another run of the program.
function Room.known(name, epoch, last, tell)
  local room = Room.new({ room = name, epoch = epoch, seq = last }, tell)
  room.is_stale = true
  return room
end

--- Whether entries are known that were not told.
function Room:is_behind()
  return self.last < self.head
end

--- The connection was lost, and with it the answer to a fetch.
function Room:lost()
  self.fetching = false
  self.fetch_at = 0
  -- Until it is entered again: under this name, or another one.
  self.is_stale = true
end

local function tell(self, seq, event)
  self.last = seq
  self.tell_event(event)
end

-- Tells that the entries between `last` and `next` are missing, if there are any.
local function skip_to(self, next)
  if next > self.last + 1 then
    self.tell_event({ type = "gap", room = self.name, from = self.last + 1, to = next - 1 })
    self.last = next - 1
  end
end

-- The server has nothing before `first` any more.
local function forget_before(self, first)
  skip_to(self, math.min(first, self.head + 1))
end

-- The numbers started anew. All of the new history is news, but not more of it than one page.
local function reset(self, epoch, head, first)
  self.epoch = epoch
  self.held = {}
  self.last = math.max(first, head - bounds.history_page + 1, 1) - 1
  self.head = head
  self.tell_event({ type = "reset", room = self.name, epoch = epoch })
end

--- The room was entered again; `state` says where it is now.
function Room:enter(state)
  self.state, self.is_stale = state, false
  -- A seq that went back is as little a continuation as another epoch.
  if state.epoch ~= self.epoch or state.seq < self.last then
    reset(self, state.epoch, state.seq, state.first)
  end
  self.head = math.max(self.head, state.seq)
  forget_before(self, state.first)
end

--- A live entry has come. `may_hold` is false when the rooms together hold enough.
function Room:live(seq, event, may_hold)
  if seq <= self.last then
    return
  end
  self.head = math.max(self.head, seq)
  if seq == self.last + 1 then
    tell(self, seq, event)
    self:drain()
    return
  end
  -- Only an unbroken run is held: after a hole, a page is needed in any case.
  local newest = self.held[#self.held]
  if may_hold and (not newest or newest.seq + 1 == seq) and #self.held < HELD then
    table.insert(self.held, { seq = seq, event = event })
  end
end

--- The entry after which a page is to be fetched now, if one is.
function Room:wants_page(now)
  local held = self.held[1]
  local next_is_held = held and held.seq == self.last + 1
  local wants = self:is_behind() and not self.fetching and not next_is_held and self.fetch_at <= now
  return wants and self.last or nil
end

--- When a refused page may be asked for again, if one was.
function Room:retry_at()
  return self:is_behind() and self.fetch_at > 0 and self.fetch_at or nil
end

--- The page after `last` has come. `stored` makes an event of an entry.
function Room:page(page, stored)
  self.fetching, self.fetch_at = false, 0
  if page.epoch ~= self.epoch then
    reset(self, page.epoch, page.head, page.first)
    return
  end
  self.head = math.max(self.head, page.head)
  forget_before(self, page.first)
  local any = false
  for _, entry in ipairs(page.entries) do
    if entry.seq > self.last then
      any = true
      skip_to(self, entry.seq)
      tell(self, entry.seq, stored(self.name, entry, page.head))
    end
  end
  if not any then
    -- Asked for more and given nothing: without this the client would ask for ever.
    skip_to(self, self.held[1] and self.held[1].seq or self.head + 1)
  end
  self:drain()
end

--- The page was refused: for a while, or for good (`wait` is nil).
function Room:page_refused(wait, now)
  self.fetching = false
  if wait then
    self.fetch_at = now + math.max(wait, RETRY)
  else
    self.held = {}
    skip_to(self, self.head + 1)
  end
end

--- Tells what was held back, as far as it follows.
function Room:drain()
  while self.held[1] and self.held[1].seq <= self.last + 1 do
    local held = table.remove(self.held, 1)
    if held.seq > self.last then
      tell(self, held.seq, held.event)
    end
  end
end

return Room
