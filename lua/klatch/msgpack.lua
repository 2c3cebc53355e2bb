--- MessagePack by a module that the system has: lua-MessagePack, or lua-mpack.
-- What is decoded here has passed `klatch.scan`, so neither module sees a body that lies.
--
-- Lua 5.4: lua-MessagePack's file for 5.3 runs there unchanged, but a distribution may install it
-- in 5.3's folder only. It is then loaded from there, by its path, so that `package.path` stays as
-- the program has it and no other module of 5.3 is found by accident.
-- @module klatch.msgpack

local uint64 = require("klatch.uint64")

local char, floor = string.char, math.floor
local tointeger = math.tointeger or function(number)
  return number
end

local msgpack = {}

local function older()
  local minor = tonumber(_VERSION:match("^Lua 5%.(%d+)$"))
  if not (package.searchpath and minor and minor > 3) then
    return nil
  end
  local path = package.path:gsub("5%." .. minor, "5.3")
  local file = package.searchpath("MessagePack", path)
  return file and dofile(file)
end

-- Each gives: pack one scalar, and unpack a body.
local adapters = {}

function adapters.MessagePack()
  local found, module = pcall(require, "MessagePack")
  if not found then
    found, module = pcall(older)
  end
  if not (found and module) then
    return nil
  end
  -- `_string` is str in any case, whatever a program chose by set_string for itself.
  local text = module.packers._string
  return {
    name = "MessagePack",
    unpack = module.unpack,
    pack = function(value)
      if type(value) ~= "string" then
        return module.pack(value)
      end
      local buffer = {}
      text(buffer, value)
      return table.concat(buffer)
    end,
  }
end

function adapters.mpack()
  local found, module = pcall(require, "mpack")
  if not found then
    return nil
  end
  local function plain(value)
    if type(value) ~= "table" then
      return value
    end
    for key, item in pairs(value) do
      if item == module.NIL then
        value[key] = nil
      else
        plain(item)
      end
    end
    return value
  end
  return {
    name = "mpack",
    pack = module.pack,
    unpack = function(body)
      return plain((module.unpack(body)))
    end,
  }
end

local chosen

--- Chooses a module: "MessagePack" or "mpack". Without a choice the first that is there is taken.
function msgpack.use(name)
  chosen = assert(adapters[name], "there is no adapter for it")()
  return chosen ~= nil
end

local function module()
  chosen = chosen or adapters.MessagePack() or adapters.mpack()
  return assert(chosen, "a MessagePack module is missing: install lua-messagepack or lua-mpack")
end

--- The name of the module in use.
function msgpack.name()
  return module().name
end

-- An integer past 2^53 - 1 as a str of its digits. Arrays and maps count items and not bytes, so
-- a value may take another's place.
local function with_digits(body, big)
  local parts, from = {}, 1
  for _, at in ipairs(big) do
    local digits = uint64.digits(body:sub(at + 1, at + 8))
    parts[#parts + 1] = body:sub(from, at - 1) .. char(0xa0 + #digits) .. digits
    from = at + 9
  end
  return table.concat(parts) .. body:sub(from)
end

--- Decodes a body that passed `scan.check`, which gave `big`.
-- Integers past 2^53 - 1 come as strings of digits.
function msgpack.decode(body, big)
  if #big > 0 then
    body = with_digits(body, big)
  end
  return module().unpack(body)
end

--- The head of an array of `count` items, at most 15.
function msgpack.array(count)
  return char(0x90 + count)
end

--- The head of a map of `count` entries.
function msgpack.map(count)
  return count < 16 and char(0x80 + count) or char(0xde, floor(count / 256), count % 256)
end

--- A text as str.
function msgpack.str(text)
  return module().pack(text)
end

--- Bytes as bin.
function msgpack.bin(bytes)
  local size = #bytes
  if size < 256 then
    return char(0xc4, size) .. bytes
  end
  return char(0xc5, floor(size / 256), size % 256) .. bytes
end

--- An integer that is not negative: a number, or a string of digits.
function msgpack.uint(number)
  if type(number) == "string" then
    return char(0xcf) .. assert(uint64.bytes(number), "not an unsigned integer of 64 bits")
  end
  return module().pack(tointeger(number))
end

function msgpack.bool(flag)
  return char(flag and 0xc3 or 0xc2)
end

return msgpack
