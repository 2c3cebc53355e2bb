--- The heads of MessagePack values, read where they stand: nothing is built, nothing reserved.
-- @module klatch.cursor

local byte = string.byte

local cursor = {}

local TWO32 = 4294967296

-- What a first byte means: its kind, and the bytes of its length, count or number.
local FORMS = {
  [0xc0] = { "nil" },
  [0xc2] = { "bool" },
  [0xc3] = { "bool" },
  [0xc4] = { "bin", 1 },
  [0xc5] = { "bin", 2 },
  [0xc6] = { "bin", 4 },
  [0xca] = { "float", 4 },
  [0xcb] = { "float", 8 },
  [0xcc] = { "uint", 1 },
  [0xcd] = { "uint", 2 },
  [0xce] = { "uint", 4 },
  [0xcf] = { "uint", 8 },
  [0xd0] = { "int", 1 },
  [0xd1] = { "int", 2 },
  [0xd2] = { "int", 4 },
  [0xd3] = { "int", 8 },
  [0xd9] = { "str", 1 },
  [0xda] = { "str", 2 },
  [0xdb] = { "str", 4 },
  [0xdc] = { "array", 2 },
  [0xdd] = { "array", 4 },
  [0xde] = { "map", 2 },
  [0xdf] = { "map", 4 },
}

local function number(body, at, size)
  local a, b, c, d, e, f, g, h = byte(body, at, at + size - 1)
  if size == 1 then
    return a
  elseif size == 2 then
    return a * 256 + b
  elseif size == 4 then
    return ((a * 256 + b) * 256 + c) * 256 + d
  end
  local high = ((a * 256 + b) * 256 + c) * 256 + d
  return high * TWO32 + ((e * 256 + f) * 256 + g) * 256 + h, high
end

--- Reads the head at `at`.
-- @return kind, or nil and why not ("truncated", "type")
-- @return value of a uint (inexact past 2^53), length of a str or bin, count of an array or map
-- @return where the next head stands (of an array or a map: its first item's)
-- @return where the bytes of a str or bin begin; for a uint true if it is past 2^53 - 1
function cursor.head(body, at)
  local first = byte(body, at)
  if not first then
    return nil, "truncated"
  elseif first < 0x80 then
    return "uint", first, at + 1, false
  elseif first < 0x90 then
    return "map", first - 0x80, at + 1
  elseif first < 0xa0 then
    return "array", first - 0x90, at + 1
  elseif first < 0xc0 then
    local past = at + 1 + first - 0xa0
    if past > #body + 1 then
      return nil, "truncated"
    end
    return "str", first - 0xa0, past, at + 1
  elseif first >= 0xe0 then
    return "negative", nil, at + 1
  end
  local form = FORMS[first]
  if not form then
    return nil, "type"
  end
  local kind, size = form[1], form[2]
  if not size then
    return kind, first == 0xc3, at + 1
  end
  local past = at + 1 + size
  if past > #body + 1 then
    return nil, "truncated"
  elseif kind == "float" then
    return kind, nil, past
  end
  local value, high = number(body, at + 1, size)
  if kind == "int" then
    if byte(body, at + 1) >= 0x80 then
      return "negative", nil, past
    end
    kind = "uint"
  end
  if kind == "uint" then
    return kind, value, past, high ~= nil and high >= 2097152
  elseif kind == "array" or kind == "map" then
    return kind, value, past
  end
  if past + value > #body + 1 then
    return nil, "truncated"
  end
  return kind, value, past + value, past
end

return cursor
