--- Integers greater than 2^53 - 1, which no Lua number holds on every interpreter.
-- The library keeps them as strings of decimal digits, alike on Lua 5.1 to 5.4 and LuaJIT.
-- @module klatch.uint64

local byte, char, floor, format = string.byte, string.char, math.floor, string.format

local uint64 = {}

--- The greatest integer that is a number everywhere.
uint64.MAX_NUMBER = 9007199254740991

--- Eight bytes, big-endian, as decimal digits.
function uint64.digits(bytes)
  local limbs = { 0, 0, 0 } -- of ten million each, the least first
  for i = 1, 8 do
    local carry = byte(bytes, i)
    for j = 1, 3 do
      local value = limbs[j] * 256 + carry
      carry = floor(value / 10000000)
      limbs[j] = value - carry * 10000000
    end
  end
  local text = format("%.0f%07.0f%07.0f", limbs[3], limbs[2], limbs[1])
  return (text:gsub("^0+(%d)", "%1"))
end

--- Decimal digits as eight bytes, big-endian; nil if they are none, or too many.
function uint64.bytes(digits)
  if not digits:find("^%d+$") or #digits > 20 then
    return nil
  end
  local bytes = { 0, 0, 0, 0, 0, 0, 0, 0 }
  for i = 1, #digits do
    local carry = byte(digits, i) - 48
    for j = 8, 1, -1 do
      local value = bytes[j] * 10 + carry
      carry = floor(value / 256)
      bytes[j] = value - carry * 256
    end
    if carry > 0 then
      return nil
    end
  end
  return char(bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7], bytes[8])
end

return uint64
