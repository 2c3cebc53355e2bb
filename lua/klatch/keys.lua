--- Keys of requests that may be sent again: UUIDs of version 7 (RFC 9562), which begin with the time.
-- @module klatch.keys

local char, floor = string.char, math.floor

local keys = {}

--- A key that was made now.
-- @param size bytes that a key has; only one of 16 can be a UUID
-- @param random function of a number that gives so many random bytes
-- @param milliseconds the server's time since 1970; nil if it is not known yet
function keys.new(size, random, milliseconds)
  local bytes = random(size)
  if size ~= 16 then
    return bytes
  end
  -- Without the time it is one of version 4: all of chance, and never taken for an old one.
  local version = milliseconds and 0x70 or 0x40
  local first = bytes:sub(1, 6)
  if milliseconds then
    local time = {}
    for i = 6, 1, -1 do
      time[i] = char(floor(milliseconds % 256))
      milliseconds = floor(milliseconds / 256)
    end
    first = table.concat(time)
  end
  return first
    .. char(version + bytes:byte(7) % 16)
    .. bytes:sub(8, 8)
    .. char(0x80 + bytes:byte(9) % 64)
    .. bytes:sub(10)
end

return keys
