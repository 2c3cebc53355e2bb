--- Fingerprints of certificates, and the file in which known servers are remembered.
-- The file is the one of the program `klatch`: a line `host:port sha256:HEX` for each server; empty
-- lines and lines that begin with `#` are kept as they are.
-- @module klatch.pins

local statefile = require("klatch.statefile")

local pins = {}

--- A fingerprint as `sha256:HEX`; the prefix may be missing, and colons may stand between the
-- bytes. nil if the text is none.
function pins.fingerprint(text)
  local digits = text:match("^%s*(.-)%s*$"):gsub("^[sS][hH][aA]256:", ""):gsub(":", ""):lower()
  return #digits == 64 and digits:find("^%x+$") and "sha256:" .. digits or nil
end

--- The user's own file: `$XDG_STATE_HOME/klatch/known_servers`, or the same in `~/.local/state`.
function pins.file_of_user()
  return statefile.path("known_servers")
end

--- What is remembered of `server` (`host:port`): `{ { line, fingerprint }, ... }`.
-- A line that names it and cannot be read is an error: to pass over it would be to forget a pin.
function pins.of(path, server)
  local text, why = statefile.read(path)
  if not text then
    return nil, why
  end
  local found, number = {}, 0
  for line in (text .. "\n"):gmatch("(.-)\r?\n") do
    number = number + 1
    local name, word = line:match("^%s*(%S+)%s*(%S*)")
    if name and name:lower() == server:lower() then
      local fingerprint = pins.fingerprint(word)
      if not fingerprint then
        return nil, ("%s: line %d names %s but has no sha256 fingerprint"):format(path, number, server)
      end
      found[#found + 1] = { line = number, fingerprint = fingerprint }
    end
  end
  return found
end

--- Remembers a certificate of `server`. The file is replaced whole, and is its owner's only.
function pins.remember(path, server, fingerprint)
  local text, why = statefile.read(path)
  if not text then
    return nil, why
  end
  if text ~= "" and text:sub(-1) ~= "\n" then
    text = text .. "\n"
  end
  local written
  written, why = statefile.replace(path, text .. server .. " " .. fingerprint .. "\n")
  if not written then
    return nil, why
  end
  local found
  found, why = pins.of(path, server)
  for _, pin in ipairs(found or {}) do
    if pin.fingerprint == fingerprint then
      return true
    end
  end
  return nil, why or path .. " could not be written"
end

return pins
