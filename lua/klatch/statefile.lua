--- Small files that outlive a program: read whole, and replaced whole; their owner's only.
-- @module klatch.statefile

local statefile = {}

-- A file of this kind that is longer is not one.
local FILE_BYTES = 1048576

--- A file of the user's own: `$XDG_STATE_HOME/klatch/NAME`, or the same in `~/.local/state`; nil if
-- there is no such place.
function statefile.path(name)
  local state = os.getenv("XDG_STATE_HOME")
  if not state or state:sub(1, 1) ~= "/" then
    local home = os.getenv("HOME")
    state = home and home ~= "" and home .. "/.local/state"
  end
  return state and state .. "/klatch/" .. name or nil
end

--- Its text; an empty one if there is no such file; or nil and why.
function statefile.read(path)
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

local function quoted(path)
  return "'" .. path:gsub("'", "'\\''") .. "'"
end

--- Writes it anew. What counts is what is in the file then, so the caller reads it: Lua 5.1 does not
-- tell how a pipe ended.
function statefile.replace(path, text)
  local folder, name = path:match("^(.*)/([^/]*)$")
  folder, name = folder or ".", name or path
  -- Lua has neither modes nor folders, so a shell makes the file, beside the old one. The text goes
  -- through a pipe: nobody sees it among the arguments of a program.
  local new = ("%s/.%s.%d.%s"):format(folder, name, os.time(), tostring({}):match("%x+$"))
  local script = "umask 077 && mkdir -p -- %s && set -C && cat > %s && mv -f -- %s %s"
  local names = { quoted(folder), quoted(new), quoted(new), quoted(path) }
  local pipe, why = io.popen(script:format((unpack or table.unpack)(names)), "w")
  if not pipe then
    return nil, why
  end
  pipe:write(text)
  pipe:close()
  return true
end

return statefile
