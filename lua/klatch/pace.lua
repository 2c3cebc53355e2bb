--- When: keeping to the rates that the server advertises, and how long to wait before connecting
-- again. Times are seconds of whatever clock the caller has, as long as it does not go back.
-- @module klatch.pace

local max, min = math.max, math.min

local pace = {}

local Bucket = {}
Bucket.__index = Bucket

--- One rate: so many a second, so many at once after a pause. A rate of 0 is no limit.
function pace.bucket(per_second, burst)
  local unit = per_second == 0 and 0 or 1 / per_second
  return setmetatable({ unit = unit, depth = max(burst, 1) * unit, full_at = 0 }, Bucket)
end

--- When `units` may be spent. More than the bucket holds may be spent once it is full.
function Bucket:ready_at(units)
  return self.full_at - (self.depth - min(units * self.unit, self.depth))
end

function Bucket:spend(now, units)
  self.full_at = max(self.full_at, now) + units * self.unit
end

local Backoff = {}
Backoff.__index = Backoff

local START, MOST, HINT_MOST = 0.25, 60, 3600

--- Waits that grow: each failure doubles the wait, up to a minute; the server's word is the least.
function pace.backoff()
  return setmetatable({}, Backoff)
end

--- The next wait. `jitter`, from 0 to 1, is the random part, so that a thousand clients of a
-- restarted server do not come back in the same instant.
function Backoff:next(hint, jitter)
  local grown = self.last and min(self.last * 2, MOST) or START
  local base = grown
  if hint then
    hint = min(hint, HINT_MOST)
    base = self.last and max(hint, grown) or hint
  end
  base = max(base, 0.001)
  self.last = base
  return base + base * jitter
end

function Backoff:reset()
  self.last = nil
end

return pace
