--- The one way from the network to a terminal.
-- What `line` and `lines` return has no character that acts on a terminal, breaks a line (but LF,
-- from `lines`), hides, or turns the direction of what stands around it. Such a character is shown
-- instead: controls as their pictures, the others as `<U+202E>`. Bytes that are not UTF-8 become
-- U+FFFD. Names, texts, topics and errors all pass through here.
-- @module klatch.text

local marks = require("klatch.marks")

local byte, char, floor, format = string.byte, string.char, math.floor, string.format

local text = {}

-- Combining marks on one letter that are shown; more would climb over the neighbouring lines.
local MARKS = 8

-- Characters that are not seen but change what is: direction, line breaks, hidden text.
local INVISIBLE = {
  -- C1; soft hyphen, Arabic letter mark, Hangul and Khmer fillers, Mongolian separators.
  0x7f, 0x9f, 0xad, 0xad, 0x61c, 0x61c, 0x115f, 0x1160, 0x17b4, 0x17b5, 0x180b, 0x180f,
  -- Zero-width space, direction marks; joiners (200C, 200D) belong to scripts and emoji.
  0x200b, 0x200b, 0x200e, 0x200f,
  -- Line and paragraph separators, bidirectional embeddings, overrides and isolates; fillers.
  0x2028, 0x202e, 0x2060, 0x206f, 0x3164, 0x3164,
  -- Private use: whatever the font makes of it; byte order mark, interlinear annotation.
  0xe000, 0xf8ff, 0xfeff, 0xfeff, 0xffa0, 0xffa0, 0xfff9, 0xfffb,
  -- Shorthand and musical formatting; tags: invisible copies of ASCII; private use.
  0x1bca0, 0x1bca3, 0x1d173, 0x1d17a, 0xe0000, 0xe0fff, 0xf0000, 0x10ffff,
}

-- Whether a code point is in a list of pairs of first and last, in ascending order.
local function is_in(ranges, point)
  local low, high = 1, #ranges / 2
  while low <= high do
    local middle = floor((low + high) / 2)
    if point < ranges[middle * 2 - 1] then
      high = middle - 1
    elseif point > ranges[middle * 2] then
      low = middle + 1
    else
      return true
    end
  end
  return false
end

--- A code point as UTF-8.
function text.utf8(point)
  if point < 0x80 then
    return char(point)
  elseif point < 0x800 then
    return char(0xc0 + floor(point / 64), 0x80 + point % 64)
  elseif point < 0x10000 then
    return char(0xe0 + floor(point / 4096), 0x80 + floor(point / 64) % 64, 0x80 + point % 64)
  end
  return char(
    0xf0 + floor(point / 262144),
    0x80 + floor(point / 4096) % 64,
    0x80 + floor(point / 64) % 64,
    0x80 + point % 64
  )
end

local LEAST = { 0, 0x80, 0x800, 0x10000 }

-- The code point at `at` and how many bytes it takes; nil and 1 for what is not UTF-8.
local function decode(bytes, at)
  local first = byte(bytes, at)
  if first < 0x80 then
    return first, 1
  end
  local size = first >= 0xf0 and 4 or first >= 0xe0 and 3 or 2
  if first < 0xc2 or first > 0xf4 then
    return nil, 1
  end
  local point = first % (size == 2 and 32 or size == 3 and 16 or 8)
  for i = at + 1, at + size - 1 do
    local next = byte(bytes, i)
    if not next or next < 0x80 or next > 0xbf then
      return nil, 1
    end
    point = point * 64 + next % 64
  end
  if point < LEAST[size] or point > 0x10ffff or (point >= 0xd800 and point <= 0xdfff) then
    return nil, 1
  end
  return point, size
end

--- Goes over the characters of a text: code point (nil for a byte that is none) and its bytes.
function text.characters(bytes)
  local at = 1
  return function()
    if at > #bytes then
      return nil
    end
    local point, size = decode(bytes, at)
    local from = at
    at = at + size
    return bytes:sub(from, at - 1), point
  end
end

local function picture(point)
  if point == 0x7f then
    return text.utf8(0x2421)
  end
  return text.utf8(0x2400 + point)
end

local function shown(bytes, point, keep)
  if not point then
    return text.utf8(0xfffd)
  elseif keep and keep[point] then
    return bytes
  elseif point == 9 then
    return "    "
  elseif point < 0x20 or point == 0x7f then
    return picture(point)
  elseif is_in(INVISIBLE, point) then
    return format("<U+%04X>", point)
  end
  return bytes
end

local function clean(bytes, keep)
  if not bytes:find("[^\32-\126]") then
    return bytes
  end
  local parts, run = {}, 0
  for character, point in text.characters(bytes) do
    run = point and point >= 0x300 and is_in(marks, point) and run + 1 or 0
    if run <= MARKS then
      parts[#parts + 1] = shown(character, point, keep)
    end
  end
  return table.concat(parts)
end

--- A text for one line of a terminal.
function text.line(bytes)
  return clean(bytes)
end

--- A text of any number of lines; tabs become spaces, since their width is not known.
function text.lines(bytes)
  return clean(bytes, { [10] = true })
end

--- A text of any number of lines on one: a line break is shown as a sign.
function text.one_line(bytes)
  return (text.lines(bytes):gsub("\n", " \226\143\142 "))
end

--- A text on its way to the server, which takes no control characters but LF and TAB: output of
-- programs is full of them. All else is left as it was written.
function text.outgoing(bytes)
  local parts = {}
  for character, point in text.characters(bytes) do
    local refused = not point
      or (point < 0x20 and point ~= 9 and point ~= 10)
      or (point >= 0x7f and point <= 0x9f)
      or point == 0x2028
      or point == 0x2029
    parts[#parts + 1] = refused and shown(character, point) or character
  end
  return table.concat(parts)
end

--- How many columns a clean line takes, as nearly as can be told without a terminal's tables.
function text.width(line)
  local width = 0
  for _, point in text.characters(line) do
    local wide = point
      and (
        (point >= 0x1100 and point <= 0x115f)
        or (point >= 0x2e80 and point <= 0xa4cf)
        or (point >= 0xac00 and point <= 0xd7a3)
        or (point >= 0xf900 and point <= 0xfaff)
        or (point >= 0xfe30 and point <= 0xfe6f)
        or (point >= 0xff00 and point <= 0xff60)
        or (point >= 0x1f300 and point <= 0x1faff)
        or (point >= 0x20000 and point <= 0x3fffd)
      )
    local joins = point and (point == 0x200d or point == 0x200c or (point >= 0x300 and is_in(marks, point)))
    width = width + (joins and 0 or wide and 2 or 1)
  end
  return width
end

return text
