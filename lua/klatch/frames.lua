--- Frames: a length of four bytes, then a body of so many. Bytes go in as they come, bodies come out.
-- The bound is checked on the length alone, so a length that lies never has anything kept for it.
-- @module klatch.frames

local bounds = require("klatch.protocol").bounds

local floor = math.floor
local HEADER = bounds.frame_header_bytes

local Frames = {}
Frames.__index = Frames

--- A stream of frames whose bodies are at most `allowed` bytes long.
function Frames.new(allowed)
  -- `pieces` are joined only when what is needed is there: small reads stay cheap.
  return setmetatable({ allowed = allowed, pieces = {}, have = 0, need = HEADER }, Frames)
end

--- Takes bytes, however they were cut.
function Frames:push(bytes)
  self.pieces[#self.pieces + 1] = bytes
  self.have = self.have + #bytes
end

--- The next body; nil if it is not all there.
-- @return nil, and the name of a status code, if the stream is none of this protocol
function Frames:next()
  if self.have < self.need then
    return nil
  end
  local buffer = table.concat(self.pieces)
  local a, b, c, d = buffer:byte(1, 4)
  local length = ((a * 256 + b) * 256 + c) * 256 + d
  if length == 0 then
    return nil, "bad_frame"
  elseif length > self.allowed then
    return nil, "frame_too_large"
  end
  self.need = HEADER + length
  self.pieces = { buffer }
  if self.have < self.need then
    return nil
  end
  local body = buffer:sub(HEADER + 1, self.need)
  self.pieces = { buffer:sub(self.need + 1) }
  self.have, self.need = self.have - self.need, HEADER
  return body
end

--- How many bytes more are known to come; 0 between two frames.
function Frames:missing()
  return self.have == 0 and 0 or self.need - self.have
end

--- One frame with this body.
function Frames.wrap(body)
  local size = #body
  return string.char(
    floor(size / 16777216),
    floor(size / 65536) % 256,
    floor(size / 256) % 256,
    size % 256
  ) .. body
end

return Frames
