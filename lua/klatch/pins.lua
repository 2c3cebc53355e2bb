--- Fingerprints of certificates, and the file in which known servers are remembered.
-- The file is the one of the program `klatch`: a line `host:port sha256:HEX` for each server; empty
-- lines and lines that begin with `#` are kept as they are.
-- @module klatch.pins

local pins = {}

-- A file of known servers that is longer is not one.
local FILE_BYTES = 1048576

--- A fingerprint as `sha256:HEX`; the prefix may be missing, and colons may stand between the
-- bytes. nil if the text is none.
function pins.fingerprint(text)
  local digits = text:match("^%s*(.-)%s*$"):gsub("^[sS][hH][aA]256:", ""):gsub(":", ""):lower()
  return #digits == 64 and digits:find("^%x+$") and "sha256:" .. digits or nil
end

--- The user's own file: `$XDG_STATE_HOME/klatch/known_servers`, or the same in `~/.local/state`.
function pins.file_of_user()
  local state = os.getenv("XDG_STATE_HOME")
  if not state or state:sub(1, 1) ~= "/" then
    local home = os.getenv("HOME")
    state = home and home ~= "" and home .. "/.local/state"
  end
  return state and state .. "/klatch/known_servers" or nil
end

local function read(path)
  local file, why, number = io.open(path, "rb")
  if not file then
    -- 2 is ENOENT: a file that does not exist yet.
    if number == 2 then
      return ""
    end
    return nil, why
  end
  local text = file:read(FILE_BYTES + 1) or ""
  file:close()
  if #text > FILE_BYTES then
    return nil, path .. ": the file is too long"
  end
  return text
end

--- What is remembered of `server` (`host:port`): `{ { line, fingerprint }, ... }`.
-- A line that names it and cannot be read is an error: to pass over it would be to forget a pin.
function pins.of(path, server)
  local text, why = read(path)
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

local function quoted(path)
  return "'" .. path:gsub("'", "'\\''") .. "'"
end

--- Remembers a certificate of `server`. The file is replaced whole, and is its owner's only.
function pins.remember(path, server, fingerprint)
  local text, why = read(path)
  if not text then
    return nil, why
  end
  if text ~= "" and text:sub(-1) ~= "\n" then
    text = text .. "\n"
  end
  local folder = path:match("^(.*)/[^/]*$") or "."
  -- Lua has neither modes nor folders, so a shell makes the file, beside the old one.
  local new = ("%s/.known_servers.%d.%s"):format(folder, os.time(), tostring({}):match("%x+$"))
  local script = "umask 077 && mkdir -p -- %s && set -C && cat > %s && mv -f -- %s %s"
  local names = { quoted(folder), quoted(new), quoted(new), quoted(path) }
  local pipe
  pipe, why = io.popen(script:format((unpack or table.unpack)(names)), "w")
  if not pipe then
    return nil, why
  end
  pipe:write(text, server, " ", fingerprint, "\n")
  pipe:close()
  -- What counts is what is in the file now: Lua 5.1 does not tell how a pipe ended.
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
