--- The commands of the chat program for those who keep a room in order.
-- @module klatch.chat.moderation

local UNITS = { s = 1000, m = 60000, h = 3600000, d = 86400000, w = 604800000 }

-- A span of time as `90s`, `10m`, `2h`, `3d`, `1w`, in milliseconds; nil if the word is none.
-- A number alone is one of `unit`.
local function span(word, unit)
  local count, own = (word or ""):match("^(%d+)([smhdw]?)$")
  return count and tonumber(count) * UNITS[own ~= "" and own or unit]
end

-- Commands that are called otherwise than their method.
local METHODS = { role = "rank" }

local function done(chat, what)
  return function()
    chat:note(what)
  end
end

local SETTINGS = {
  private = function()
    return "private", true
  end,
  public = function()
    return "private", false
  end,
  announcement = function(word)
    if word == "on" or word == "off" then
      return "announcement", word == "on"
    end
  end,
  slow = function(word)
    return "slow_ms", word == "off" and 0 or span(word, "s")
  end,
}
function SETTINGS.keep(word)
  return "keep_ms", word == "off" and 0 or span(word, "d")
end

local HAS_WORD = { announcement = true, slow = true, keep = true }

-- `private`, `public`, `announcement on`, `slow 10s`, in any number.
local function settings(argument)
  local params, next_word = {}, argument:gmatch("%S+")
  for word in next_word do
    local read = SETTINGS[word]
    if not read then
      return nil
    end
    local name, value = read(HAS_WORD[word] and next_word())
    if value == nil then
      return nil
    end
    params[name] = value
  end
  return params
end

local function until_when(time)
  local seconds = (tonumber(time) or 0) / 1000
  -- What lasts longer than anybody is for good.
  return seconds > 4e9 and "for good" or os.date("until %Y-%m-%d %H:%M", math.floor(seconds))
end

local function words_of(one)
  local words = {}
  if one.role ~= "member" then
    words[1] = one.role
  end
  if one.banned_until then
    words[#words + 1] = "banned " .. until_when(one.banned_until)
  end
  if one.muted_until then
    words[#words + 1] = "muted " .. until_when(one.muted_until)
  end
  if one.invited then
    words[#words + 1] = "invited"
  end
  return table.concat(words, ", ")
end

--- Adds them; see `klatch.chat.commands`.
return function(define, ask)
  local function about(name_of_it, usage, help, read, told)
    local method = METHODS[name_of_it] or name_of_it
    define(name_of_it, usage, help, function(chat, argument)
      local name, rest = argument:match("^@?(%S+)%s*(.-)$")
      local params = read(rest)
      if not params then
        return chat:note("usage: " .. usage)
      end
      params.room, params.name = chat.room, name
      ask(chat, method, params, done(chat, name .. " " .. told))
    end, true)
  end

  local function nothing()
    return {}
  end

  -- A span, or none for good; what follows is told to the one it is about.
  local function lasting(rest)
    local first, text = rest:match("^(%S*)%s*(.-)$")
    local ms = span(first, "m")
    text = ms and text or rest
    return { ms = ms, text = text ~= "" and text or nil }
  end

  about("invite", "/invite NAME", "let somebody into this private room", nothing, "may come in")
  about("kick", "/kick NAME [TEXT]", "put somebody out of this room", function(rest)
    return { text = rest ~= "" and rest or nil }
  end, "is put out")
  local ban = "put somebody out, for a time (10m, 2h, 3d; 0 ends it) or for good"
  about("ban", "/ban NAME [TIME] [TEXT]", ban, lasting, "is banned")
  about("mute", "/mute NAME [TIME]", "keep somebody from writing here", function(rest)
    local ms = span(rest, "m")
    return (ms or rest == "") and { ms = ms } or nil
  end, "is muted")
  about("role", "/role NAME ROLE", "make somebody a member, moderator or owner here", function(rest)
    return rest ~= "" and { role = rest } or nil
  end, "has that role now")

  local function lift(name, method, what)
    define(name, ("/%s NAME"):format(name), "let somebody " .. what, function(chat, argument)
      local who = argument:gsub("^@", "")
      ask(chat, method, { room = chat.room, name = who, ms = 0 }, done(chat, who .. " may " .. what))
    end, true)
  end
  lift("unban", "ban", "come back")
  lift("unmute", "mute", "write again")

  local usage = "/set [private|public] [announcement on|off] [slow TIME|off] [keep TIME|off]"
  define("set", usage, "set this room", function(chat, argument)
    local params = settings(argument)
    if not params then
      return chat:note("usage: " .. usage)
    end
    params.room = chat.room
    ask(chat, "configure", params)
  end, true)

  define("rename", "/rename NAME", "give this room another name", function(chat, argument)
    ask(chat, "rename_room", { room = chat.room, name = (argument:gsub("^#", "")) })
  end, true)
  local delete = "delete a room for good, with all that was said in it"
  define("destroy", "/destroy ROOM", delete, function(chat, argument)
    local room = argument:gsub("^#", "")
    ask(chat, "delete_room", { room = room }, done(chat, room .. " is deleted"))
  end, true)

  define("standings", "/standings", "list who has a role here, is invited, banned or muted", function(chat)
    ask(chat, "standings", { room = chat.room }, function(result)
      for _, one in ipairs(result.standings) do
        chat:note(one.name .. ": " .. words_of(one))
      end
      if result.more then
        chat:note("and more")
      end
    end)
  end)
end
