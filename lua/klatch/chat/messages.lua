--- The commands of the chat program about messages: answers, edits, reactions, what was said before.
-- A message is `#SEQ`, as it is shown, or `^N`: the one that is N before the newest.
-- @module klatch.chat.messages

local answers = require("klatch.answers")
local text = require("klatch.text")

-- Messages of a search, and of a history that goes by a place or a time.
local SHOWN = 20
-- Entries that `/history N` shows at most.
local MOST = 1000

-- Which message an argument begins with, by its seq, and the rest; nil if there is none such.
-- Without one it is the newest, or the newest of one's own.
local function about(chat, argument, is_own)
  local seq, rest = argument:match("^#(%d+)%s*(.-)$")
  if seq then
    return tonumber(seq), rest
  end
  local back
  back, rest = argument:match("^%^(%d+)%s*(.-)$")
  local message = chat.timeline:newest(chat.room, tonumber(back or 0), is_own and chat.client:name() or nil)
  return message and message.seq, rest or argument
end

-- A time as `2026-01-31` or `2026-01-31 18:30`, in milliseconds since 1970.
local function moment(argument)
  local date, clock = argument:match("^(%d+%-%d+%-%d+)%s*(.-)$")
  local hour, minute = 0, 0
  if clock and clock ~= "" then
    hour, minute = clock:match("^(%d+):(%d%d)$")
  end
  if not date or not hour then
    return nil
  end
  local year, month, day = date:match("^(%d%d%d%d)%-(%d%d?)%-(%d%d?)$")
  local at = year and os.time({ year = year, month = month, day = day, hour = hour, min = minute, sec = 0 })
  return at and at >= 0 and at * 1000 or nil
end

-- What a `/history` asks for: parameters, how many at most, and what to call the place; or nil.
local function place(argument)
  if argument == "" or argument:find("^%d+$") then
    local most = math.min(math.max(tonumber(argument) or SHOWN, 1), MOST)
    return { limit = math.min(most, 200) }, most
  end
  local seq = argument:match("^#(%d+)$")
  local at = moment(argument)
  if seq then
    return { around = tonumber(seq), limit = SHOWN }, SHOWN
  elseif at then
    return { at = at, limit = SHOWN }, SHOWN
  end
end

local function bounds_of(chat, room, entries)
  local first, last = entries[1], entries[#entries]
  local state = chat.client:room(room)
  if not first then
    return "there is nothing"
  elseif state and type(first.seq) == "number" and first.seq > state.first then
    return ("there is more before it: /history #%d"):format(first.seq)
  end
  return "that is all there is up to #" .. tostring(last.seq)
end

--- Adds them; see `klatch.chat.commands`.
return function(define, ask, tell)
  -- A command about one message of this room; `read` makes the further parameters of the rest.
  local function change(method, usage, help, is_own, read)
    define(method, usage, help, function(chat, argument)
      local seq, rest = about(chat, argument, is_own)
      local params = chat.room and read(rest)
      if not chat.room then
        return chat:note("you are in no room: /join one")
      elseif not params then
        return chat:note("usage: " .. usage)
      elseif not seq then
        return chat:note(is_own and "you said nothing here that is shown" or "there is no message here")
      end
      params.room, params[method == "say" and "re" or "seq"] = chat.room, seq
      ask(chat, method, params)
    end)
  end

  local function said(rest)
    return rest:find("%S") and { text = text.outgoing(rest) } or nil
  end

  define("reply", "/reply [#SEQ|^N] TEXT", "answer the newest message, or another", function(chat, argument)
    local seq, rest = about(chat, argument)
    if not rest:find("%S") then
      return chat:note("usage: /reply [#SEQ|^N] TEXT")
    elseif not seq then
      return chat:note("there is no message here")
    end
    chat:say(chat.room, rest, seq)
  end, true)
  change("edit", "/edit [#SEQ|^N] TEXT", "give your newest message, or another, another text", true, said)
  change("delete", "/delete [#SEQ|^N]", "delete your newest message, or another", true, function(rest)
    return rest == "" and {} or nil
  end)
  local help = "react to the newest message, or another; -EMOJI takes it back"
  change("react", "/react [#SEQ|^N] EMOJI", help, false, function(rest)
    local taken = rest:match("^%-(.+)$")
    return rest ~= "" and { reaction = taken or rest, on = taken == nil } or nil
  end)

  define("search", "/search WORDS", "find messages, in all rooms that you may see", function(chat, argument)
    local asked, why = chat.client:collect("search", { text = argument, limit = SHOWN + 1 }, tell(chat, function(hits)
      local most = math.min(#hits, SHOWN)
      for i = most, 1, -1 do
        chat:show_stored(answers.stored(hits[i].room, hits[i].entry), true)
      end
      local found = #hits == 0 and "nothing found" or most == 1 and "1 message" or most .. " messages"
      chat:note(found .. (#hits > most and ", the newest of more" or ""))
    end), SHOWN + 1)
    if not asked then
      chat:note(tostring(why))
    end
  end, true)

  local usage = "/history [N|#SEQ|DATE [TIME]]"
  define("history", usage, "show the last entries of this room (20, or N), those around one, or since a time",
    function(chat, argument)
      local room = chat.room
      local params, most = place(argument)
      if not params then
        return chat:note("usage: " .. usage)
      elseif not room then
        return chat:note("you are in no room: /join one")
      end
      params.room = room
      local asked, why = chat.client:collect("history", params, tell(chat, function(entries)
        for _, entry in ipairs(entries) do
          chat:show_stored(answers.stored(room, entry), params.at ~= nil)
        end
        chat:note(bounds_of(chat, room, entries))
      end), most)
      if not asked then
        chat:note(tostring(why))
      end
    end)
end
