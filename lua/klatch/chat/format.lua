--- Events as lines, in the form that the program `klatch` prints.
-- @module klatch.chat.format

local text = require("klatch.text")

local format = {}

-- Characters of what an answer quotes.
local QUOTED = 24

local function clock(milliseconds, is_dated)
  local seconds = type(milliseconds) == "number" and milliseconds / 1000 or os.time()
  return os.date(is_dated and "%Y-%m-%d %H:%M:%S" or "%H:%M:%S", math.floor(seconds))
end

--- How a room is called: `#ops`, or `@bob` for the direct room with bob.
function format.room(client, name)
  local state = client:room(name)
  return state and state.with and "@" .. text.line(state.with) or "#" .. text.line(name)
end

--- So many members.
function format.members(count)
  return count == 1 and "1 member" or count .. " members"
end

local function presence(mark, names, event)
  local more = event.count - #names
  local rest = more > 0 and (" and %d more"):format(more) or ""
  return ("%s %s%s (%s)"):format(mark, table.concat(names, " "), rest, format.members(event.members))
end

-- A span of time in whole units.
local function span(milliseconds)
  local seconds = math.ceil((tonumber(milliseconds) or 0) / 1000)
  return seconds < 120 and seconds .. " s" or math.floor(seconds / 60) .. " min"
end

local shown = {}

function shown.removed(event)
  local by = event.by and " by " .. event.by or ""
  local why = event.text and ": " .. event.text or ""
  local words = event.reason == "left" and "left on another device" or "put out" .. by .. why
  if event.reason == "deleted" then
    words = "the room was deleted" .. by
  end
  local till = tonumber(event["until"])
  if till and till < 4e12 then
    words = words .. os.date(" (until %Y-%m-%d %H:%M)", math.floor(till / 1000))
  end
  return "! " .. words
end

function shown.invited(event)
  return ("! %s invites you: /join %s"):format(event.by, event.room)
end

function shown.configured(event)
  local who = event.announcement and "moderators write" or "everybody writes"
  local slow = event.slow_ms > 0 and ", every " .. span(event.slow_ms) or ""
  return ("* %s set the room: %s, %s%s"):format(event.by, event.kind, who, slow)
end

function shown.renamed(event)
  return ("* %s renamed the room to %s"):format(event.by and event.by ~= "" and event.by or "somebody", event.name)
end

function shown.ranked(event)
  return ("* %s made %s %s"):format(event.by, event.name, event.role)
end

function shown.message(event)
  return ("<%s> %s"):format(event.from, event.text)
end

function shown.edit(event)
  return ("* %s edited #%s: %s"):format(event.from, tostring(event.re), event.text)
end

function shown.delete(event)
  return ("* %s deleted #%s"):format(event.from, tostring(event.re))
end

function shown.react(event)
  return ("* %s reacted to #%s: %s"):format(event.from, tostring(event.re), event.text)
end

function shown.unreact(event)
  return ("* %s took back from #%s: %s"):format(event.from, tostring(event.re), event.text)
end

function shown.topic(event)
  return ("* %s set the topic: %s"):format(event.from, event.text)
end

function shown.joined(event)
  return presence("+", event.names, event)
end

function shown.left(event)
  local names = {}
  for i, gone in ipairs(event.gone) do
    names[i] = gone.name .. ":" .. gone.reason
  end
  return presence("-", names, event)
end

function shown.gap(event)
  return ("! %d messages are missing"):format(event.to - event.from + 1)
end

function shown.reset()
  return "! the history starts anew"
end

--- The line of an event about a room; nil if it has none.
-- A stored event of a kind that this version does not know is shown by its text.
function format.event(client, event)
  if not event.room then
    return nil
  end
  local show = shown[event.type]
  local line
  if show then
    line = show(event)
  elseif event.type == "entry" then
    line = ("(%s) <%s> %s"):format(event.kind, event.from, event.text)
  else
    return nil
  end
  return ("%s %s %s"):format(clock(event.time), format.room(client, event.room), text.one_line(line))
end

-- The beginning of a text, for an answer that quotes it.
local function quoted(said)
  local line = (said:match("^[^\n]*") or "")
  local parts, count = {}, 0
  for character in text.characters(line) do
    count = count + 1
    if count > QUOTED then
      parts[#parts + 1] = "\226\128\166"
      break
    end
    parts[#parts + 1] = character
  end
  return table.concat(parts)
end

--- A message as it is now, for a person: its number, what it answers, what became of it.
-- @param message as `klatch.timeline` has it
-- @param[opt] answered the message that it answers, if that is known
-- @param[opt] is_dated whether the date is shown too
function format.message(client, message, answered, is_dated)
  local words = message.deleted and "(deleted)" or message.text
  if answered and not answered.deleted then
    words = ("\226\134\170 %s: %s \226\148\130 %s"):format(answered.from, quoted(answered.text), words)
  elseif message.re then
    words = ("\226\134\170 #%s \226\148\130 %s"):format(tostring(message.re), words)
  end
  if message.edited and not message.deleted then
    words = words .. " (edited)"
  end
  for _, reaction in ipairs(message.reactions or {}) do
    words = words .. (" [%s %d]"):format(reaction.text, reaction.count)
  end
  local time = clock(message.time, is_dated)
  local line = ("<%s> %s"):format(message.from, words)
  return ("%s %s #%s %s"):format(time, format.room(client, message.room), tostring(message.seq), text.one_line(line))
end

--- The line of news about the connection; nil if it is none.
function format.note(event)
  if event.type == "connected" then
    local motd = event.motd and ": " .. event.motd or ""
    return text.one_line(("connected to %s as %s%s"):format(event.server, event.name, motd))
  elseif event.type == "disconnected" then
    return text.one_line(("%s; trying again in %.1f s"):format(tostring(event.error), event.retry_in))
  elseif event.type == "gone" and event.error then
    return text.one_line(("left %s: %s"):format(event.room, tostring(event.error)))
  elseif event.type == "refused" then
    return text.one_line(("%s: %s"):format(event.method, tostring(event.error)))
  end
end

return format
