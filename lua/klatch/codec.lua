--- Bodies: requests are written, responses and events are read, by the tables of the protocol.
-- @module klatch.codec

local cursor = require("klatch.cursor")
local frames = require("klatch.frames")
local msgpack = require("klatch.msgpack")
local protocol = require("klatch.protocol")
local scan = require("klatch.scan")
local shape = require("klatch.shape")

local head = cursor.head
local NEITHER = "the body is neither a response nor an event"

local codec = { methods = {}, events = {}, statuses = {} }
for _, method in ipairs(protocol.methods) do
  codec.methods[method.name] = method
end
for _, event in ipairs(protocol.events) do
  codec.events[event.name] = event
end
for _, status in ipairs(protocol.statuses) do
  codec.statuses[status.name] = status
end

local function response(body, at)
  local kind, id, past, big = head(body, at)
  if kind ~= "uint" or big or id > 4294967295 then
    return nil, NEITHER
  end
  if head(body, past) == "nil" then
    if head(body, past + 1) ~= "map" then
      return nil, NEITHER
    end
    return { kind = "response", id = id, result_at = past + 1 }
  end
  local after, why = shape.check(protocol.maps.ErrorBody, body, past)
  if not after then
    return nil, "an error: " .. why
  elseif head(body, after) ~= "nil" then
    return nil, "an error stands in place of a result, not beside one"
  end
  return { kind = "response", id = id, refused = true }
end

local function event(body, at)
  local kind, _, past, from = head(body, at)
  if kind ~= "str" then
    return nil, NEITHER
  end
  local name = body:sub(from, past - 1)
  local list, count, payload_at = head(body, past)
  if list ~= "array" or count ~= 1 then
    return nil, NEITHER
  end
  local declared = codec.events[name]
  if declared then
    local checked, why = shape.check(declared.fields, body, payload_at)
    if not checked then
      return nil, name .. ": " .. why
    end
  end
  return { kind = "event", name = name, known = declared ~= nil }
end

--- Reads the body of a frame from the server.
-- @tparam string body
-- @param[opt] method_of function of a request's id: its method, whose result is checked then
-- @return `{ kind = "response", id, result | error }` or `{ kind = "event", name, known, payload }`;
-- or nil and what is wrong with it
function codec.incoming(body, method_of)
  local big, why = scan.check(body)
  if not big then
    return nil, why
  end
  local list, count, at = head(body, 1)
  local kind, which, past = head(body, at or 1)
  if list ~= "array" or kind ~= "uint" then
    return nil, NEITHER
  end
  local read = count == 4 and which == 1 and response or count == 3 and which == 2 and event
  if not read then
    return nil, NEITHER
  end
  local message, wrong = read(body, past)
  if not message then
    return nil, wrong
  end
  local method = message.result_at and method_of and codec.methods[method_of(message.id)]
  if method then
    local checked, field = shape.check(protocol.maps[method.result], body, message.result_at)
    if not checked then
      return nil, "the result of " .. method.name .. ": " .. field
    end
  end
  local parts = msgpack.decode(body, big)
  if message.kind == "event" then
    message.payload = parts[3][1]
  elseif message.refused then
    message.error = parts[3]
  else
    message.result = parts[4]
  end
  return message
end

local write -- a value by its shape; nil and what is expected instead

local writers = {}

function writers.bool(_, value)
  return type(value) == "boolean" and msgpack.bool(value)
end

function writers.uint(of, value)
  if type(value) == "string" then
    return not of.max and value:find("^%d+$") and #value <= 20 and msgpack.uint(value)
  end
  local sound = type(value) == "number" and value >= 0 and value % 1 == 0
  return sound and value <= (of.max or 9007199254740991) and msgpack.uint(value)
end

function writers.str(_, value)
  return type(value) == "string" and scan.is_utf8(value) and msgpack.str(value)
end

writers.word = writers.str

function writers.bin(of, value)
  return type(value) == "string" and #value == of.size and msgpack.bin(value)
end

function writers.array(of, value)
  if type(value) ~= "table" or #value > of.max then
    return nil
  end
  local parts = {}
  for i, item in ipairs(value) do
    parts[i] = write(of.of, item)
    if not parts[i] then
      return nil
    end
  end
  return msgpack.array(#parts) .. table.concat(parts)
end

local function write_map(fields, values, what)
  local parts, declared, count = {}, {}, 0
  for _, field in ipairs(fields) do
    declared[field.name] = true
    local value = values[field.name]
    if value ~= nil then
      local written, why = write(field.shape, value)
      if not written then
        return nil, why or what .. "." .. field.name .. " is not " .. field.kind
      end
      parts[#parts + 1] = msgpack.str(field.name) .. written
      count = count + 1
    elseif not field.optional then
      return nil, what .. "." .. field.name .. " is missing"
    end
  end
  for name in pairs(values) do
    if not declared[name] then
      return nil, what .. " has no parameter " .. tostring(name)
    end
  end
  return msgpack.map(count) .. table.concat(parts)
end

function writers.map(of, value)
  if type(value) ~= "table" then
    return nil
  end
  return write_map(protocol.maps[of.name], value, of.name)
end

function write(of, value)
  local written, why = writers[of[1]](of, value)
  return written or nil, why
end

--- One frame with a request.
-- @return the frame, or nil and which parameter is wrong
function codec.request(id, method, params)
  local declared = codec.methods[method]
  if not declared then
    return nil, "there is no method " .. tostring(method)
  end
  local map, why = write_map(declared.params, params, method)
  if not map then
    return nil, why
  end
  local body = msgpack.array(4) .. msgpack.uint(0) .. msgpack.uint(id) .. msgpack.str(method)
  return frames.wrap(body .. msgpack.array(1) .. map)
end

return codec
