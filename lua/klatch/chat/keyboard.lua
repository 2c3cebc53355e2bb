--- Standard input without blocking, byte by byte, and the terminal's mode.
-- @module klatch.chat.keyboard

local socket = require("socket")

local keyboard = {}

-- Bytes taken in one turn, so that a long paste does not keep the server waiting.
local TURN = 8192

local STDIN = {
  getfd = function()
    return 0
  end,
  dirty = function()
    return false
  end,
}

local function succeeds(command)
  local result = os.execute(command)
  return result == true or result == 0
end

local function output(command)
  local pipe = io.popen(command, "r")
  local text = pipe and pipe:read("*a") or ""
  if pipe then
    pipe:close()
  end
  return text
end

--- Whether input and output are a terminal.
function keyboard.is_terminal()
  return succeeds("test -t 0 && test -t 1")
end

--- Hands what can be read now to `take`, byte by byte; nil at the end of input.
-- @return false at the end of input
function keyboard.read(take)
  io.stdin:setvbuf("no")
  for _ = 1, TURN do
    local byte = io.stdin:read(1)
    take(byte)
    if not byte then
      return false
    elseif #socket.select({ STDIN }, nil, 0) == 0 then
      return true
    end
  end
  return true
end

--- Function that reads what is there and hands it on line by line: for `client:watch(0, ...)`.
function keyboard.lines(take)
  local bytes = {}
  return function()
    return keyboard.read(function(byte)
      if byte and byte ~= "\n" then
        bytes[#bytes + 1] = byte
      elseif #bytes > 0 then
        local line = table.concat(bytes)
        bytes = {}
        take(line)
      end
    end)
  end
end

--- Asks for a line that is not shown; nil without a terminal, or without an answer.
function keyboard.secret(prompt)
  if not keyboard.is_terminal() then
    return nil
  end
  local before = output("stty -g"):match("%S+")
  os.execute("stty -echo")
  io.stderr:write(prompt)
  local read, line = pcall(io.read, "*l")
  os.execute("stty " .. (before or "sane"))
  io.stderr:write("\n")
  if not read then
    error(line, 0)
  end
  return line ~= "" and line or nil
end

--- Has keys come one by one, unseen. Returns a function that puts the terminal back.
function keyboard.raw()
  local before = output("stty -g"):match("%S+")
  os.execute("stty -icanon -echo -isig -ixon min 1 time 0")
  io.write("\27[?2004h")
  return function()
    io.write("\27[?2004l\r\27[K")
    io.flush()
    os.execute("stty " .. (before or "sane"))
  end
end

--- How many columns the terminal has.
function keyboard.columns()
  return tonumber(output("stty size 2>/dev/null"):match("%d+%s+(%d+)")) or 80
end

return keyboard
