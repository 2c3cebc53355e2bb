--- The check of a map against its declaration, before it is built.
-- Fields that are not declared are passed over, and so are words that a later version adds.
-- @module klatch.shape

local cursor = require("klatch.cursor")
local protocol = require("klatch.protocol")
local scan = require("klatch.scan")

local head, sub = cursor.head, string.sub

local shape = {}

-- The fields of each declaration by name.
local indexes = setmetatable({}, { __mode = "k" })

local function index(fields)
  local found = indexes[fields]
  if not found then
    found = {}
    for _, field in ipairs(fields) do
      found[field.name] = field
    end
    indexes[fields] = found
  end
  return found
end

local fits -- whether a value is of a shape: where the next stands, or nil and why not

local function entries(fields, body, at, count)
  local known, present = index(fields), {}
  for _ = 1, count do
    local _, _, past, from = head(body, at)
    local field = known[sub(body, from, past - 1)]
    local why
    if not field then
      past = scan.skip(body, past)
    elseif head(body, past) == "nil" and field.optional then
      past = past + 1
    else
      present[field] = true
      past, why = fits(field.shape, body, past)
      if not past then
        return nil, why and field.name .. "." .. why or field.name .. " is not " .. field.kind
      end
    end
    at = past
  end
  for _, field in ipairs(fields) do
    if not (field.optional or present[field]) then
      return nil, field.name .. " is missing"
    end
  end
  return at
end

local function items(of, body, at, count)
  for _ = 1, count do
    local past, why = fits(of, body, at)
    if not past then
      return nil, why
    end
    at = past
  end
  return at
end

function fits(wanted, body, at)
  local kind, value, past = head(body, at)
  local name = wanted[1]
  if name == "word" then
    name = "str"
  end
  if kind ~= name then
    return nil
  elseif kind == "uint" then
    return (not wanted.max or value <= wanted.max) and past or nil
  elseif kind == "bin" then
    return value == wanted.size and past or nil
  elseif kind == "array" then
    if value > wanted.max then
      return nil
    end
    return items(wanted.of, body, past, value)
  elseif kind == "map" then
    return entries(protocol.maps[wanted.name], body, past, value)
  end
  return past
end

--- Checks the map at `at` of a body that passed `scan.check`.
-- @return where the next value stands, or nil and which field is wrong
function shape.check(fields, body, at)
  local kind, count, past = head(body, at)
  if kind ~= "map" then
    return nil, "not a map"
  end
  return entries(fields, body, past, count)
end

return shape
