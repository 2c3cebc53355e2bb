--- The chat program in a pipe: each line of input is a message, each event a line of output.
-- @module klatch.chat.line

local format = require("klatch.chat.format")
local keyboard = require("klatch.chat.keyboard")
local protocol = require("klatch.protocol")
local text = require("klatch.text")

local line_mode = {}

-- Texts that are unacknowledged at once; then input is not read.
local WINDOW = 256

local function note(line)
  io.stderr:write("klatch.lua: ", text.one_line(line), "\n")
end

local function acknowledged(run, number, error)
  run.waiting = run.waiting - 1
  if error then
    note(("line %d was not said: %s"):format(number, tostring(error)))
    run.refused = true
  end
end

local function say(run, said)
  run.lines = run.lines + 1
  local number = run.lines
  said = text.outgoing((said:gsub("\r$", "")))
  if not said:find("%S") then
    return
  end
  local asked, why = run.client:say({ room = run.room, text = said }, function(_, error)
    acknowledged(run, number, error)
  end)
  run.waiting = run.waiting + 1
  if not asked then
    acknowledged(run, number, why)
  end
end

-- One byte of input. What is longer than any text is passed over up to the line's end, and refused
-- by the server by its length.
local function take(run, byte)
  if byte and byte ~= "\n" then
    if run.size <= protocol.bounds.text_bytes then
      table.insert(run.bytes, byte)
      run.size = run.size + 1
    end
    return
  end
  if byte or run.size > 0 then
    say(run, table.concat(run.bytes))
  end
  run.bytes, run.size = {}, 0
end

local function read(run)
  if run.waiting >= WINDOW then
    run.paused = true
    return false
  end
  if not keyboard.read(function(byte)
    take(run, byte)
  end) then
    run.at_end = true
    return false
  end
end

local function watch(run)
  run.paused = false
  run.client:watch(0, function()
    return read(run)
  end)
end

--- Runs the program until its input ends, all is acknowledged and it has logged out.
-- @return true and whether a text was refused; or nil and why the session ended
function line_mode.run(client, options)
  io.stdout:setvbuf("line")
  local room = options.rooms[1] or client:room_names()[1]
  local run = { client = client, room = room, waiting = 0, lines = 0, bytes = {}, size = 0 }
  client:on("*", function(event)
    local line = format.event(client, event)
    local news = format.note(event)
    if news then
      note(news)
    elseif line then
      io.stdout:write(line, "\n")
    end
  end)
  if not options.listen then
    if not room then
      return nil, { kind = "usage", text = "no room to speak in: give one with --room" }
    end
    watch(run)
  end
  local leaving = false
  local ended, why = client:run(function()
    if run.paused and run.waiting < WINDOW then
      watch(run)
    end
    if run.at_end and run.waiting == 0 and not leaving then
      -- Without a connection there is nobody to say goodbye to.
      leaving = true
      return not client:quit()
    end
    return false
  end)
  if not ended then
    return nil, why
  end
  return true, run.refused
end

return line_mode
