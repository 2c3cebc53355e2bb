--- The structural check of one body, before anything of it is built.
-- After `check` a body is known to be one whole value, no deeper than the protocol's bound, with
-- every length within what is present and within its bound, text in UTF-8, and keys told apart.
-- Never recurses deeper than the bound, whatever the bytes.
-- @module klatch.scan

local cursor = require("klatch.cursor")
local protocol = require("klatch.protocol")

local head, find, sub = cursor.head, string.find, string.sub
local bounds = protocol.bounds

local scan = {}

local WORDS = {
  truncated = "the body ends inside a value",
  type = "a type byte that this protocol does not use",
}

--- Whether a text is valid UTF-8, surrogates and overlong forms excluded.
function scan.is_utf8(text)
  local at = find(text, "[\128-\255]")
  while at do
    local first = text:byte(at)
    local past
    if first < 0xc2 or first > 0xf4 then
      return false
    elseif first < 0xe0 then
      past = select(2, find(text, "^[\128-\191]", at + 1))
    elseif first < 0xf0 then
      local second = first == 0xe0 and "[\160-\191]" or first == 0xed and "[\128-\159]" or "[\128-\191]"
      past = select(2, find(text, "^" .. second .. "[\128-\191]", at + 1))
    else
      local second = first == 0xf0 and "[\144-\191]" or first == 0xf4 and "[\128-\143]" or "[\128-\191]"
      past = select(2, find(text, "^" .. second .. "[\128-\191][\128-\191]", at + 1))
    end
    if not past then
      return false
    end
    at = find(text, "[\128-\255]", past + 1)
  end
  return true
end

local value -- one value; returns where the next stands, or nil and why not

local function array(body, at, count, depth, big)
  if count > bounds.array_items then
    return nil, "an array has too many items"
  end
  for _ = 1, count do
    local past, why = value(body, at, depth, big)
    if not past then
      return nil, why
    end
    at = past
  end
  return at
end

local function map(body, at, count, depth, big)
  if count > bounds.map_entries then
    return nil, "a map has too many entries"
  end
  local seen = {}
  for _ = 1, count do
    local kind, why, past, from = head(body, at)
    if not kind then
      return nil, WORDS[why]
    elseif kind ~= "str" then
      return nil, "a map has a key that is not a string"
    end
    local key = sub(body, from, past - 1)
    if seen[key] then
      return nil, "a map has the same key twice"
    elseif not scan.is_utf8(key) then
      return nil, "a string is not valid UTF-8"
    end
    seen[key] = true
    past, why = value(body, past, depth, big)
    if not past then
      return nil, why
    end
    at = past
  end
  return at
end

function value(body, at, depth, big)
  local kind, count, past, extra = head(body, at)
  if not kind then
    return nil, WORDS[count]
  elseif kind == "array" or kind == "map" then
    if depth == 0 then
      return nil, "too_deep"
    end
    return (kind == "array" and array or map)(body, past, count, depth - 1, big)
  elseif kind == "str" then
    if not scan.is_utf8(sub(body, extra, past - 1)) then
      return nil, "a string is not valid UTF-8"
    end
  elseif kind == "uint" and extra then
    big[#big + 1] = at
  end
  return past
end

--- Checks that `body` is exactly one acceptable value.
-- @return where integers past 2^53 - 1 stand, in ascending order; or nil and why not: "too_deep",
-- or a sentence
function scan.check(body)
  local big = {}
  local past, why = value(body, 1, bounds.depth, big)
  if not past then
    return nil, why
  elseif past <= #body then
    return nil, "bytes follow the value"
  end
  return big
end

--- Where the value after the one at `at` stands, in a body that was checked.
function scan.skip(body, at)
  return (value(body, at, bounds.depth, {}))
end

return scan
