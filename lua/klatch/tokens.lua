--- The tokens of accounts, so that a password is typed once for each device.
-- A line `host:port NAME HEX` for each; the file is its owner's only. Whoever reads it can log in.
-- @module klatch.tokens

local statefile = require("klatch.statefile")

local tokens = {}

--- The user's own file.
function tokens.file_of_user()
  return statefile.path("tokens")
end

local function lines(text)
  local all = {}
  for line in text:gmatch("[^\r\n]+") do
    local server, name, digits = line:match("^(%S+) (%S+) (%x+)$")
    all[#all + 1] = { line = line, server = server, name = name, digits = digits }
  end
  return all
end

-- Names are compared without regard to case, as far as ASCII goes: the server knows the rest.
local function is_of(entry, server, name)
  return entry.server == server and entry.name and entry.name:lower() == name:lower()
end

--- The token of an account, or nil.
function tokens.of(path, server, name)
  for _, entry in ipairs(lines(path and statefile.read(path) or "")) do
    if is_of(entry, server, name) and #entry.digits == 64 then
      return (entry.digits:gsub("%x%x", function(pair)
        return string.char(tonumber(pair, 16))
      end))
    end
  end
end

--- Keeps a token instead of an older one; nil forgets it. True, or nil and why not.
function tokens.keep(path, server, name, token)
  local text, why = statefile.read(path)
  if not text then
    return nil, why
  end
  local kept, changed = {}, token ~= nil
  for _, entry in ipairs(lines(text)) do
    if is_of(entry, server, name) then
      changed = true
    else
      kept[#kept + 1] = entry.line .. "\n"
    end
  end
  if token then
    local digits = token:gsub(".", function(byte)
      return ("%02x"):format(byte:byte())
    end)
    kept[#kept + 1] = ("%s %s %s\n"):format(server, name, digits)
  end
  if not changed then
    return true
  end
  local written
  written, why = statefile.replace(path, table.concat(kept))
  if not written or tokens.of(path, server, name) ~= token then
    return nil, why or path .. " could not be written"
  end
  return true
end

return tokens
