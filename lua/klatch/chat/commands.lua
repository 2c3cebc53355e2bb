--- What a line that begins with `/` does.
-- @module klatch.chat.commands

local codec = require("klatch.codec")
local format = require("klatch.chat.format")
local text = require("klatch.text")

local commands = {}

-- Reports an error, or goes on with the result.
local function on_result(chat, act)
  return function(result, error)
    if error then
      chat:note(tostring(error))
    elseif act then
      act(result)
    end
  end
end

-- Asks; what is wrong with the parameters is told like a refusal.
local function ask(chat, method, params, act)
  local asked, why = chat.client:request(method, params, on_result(chat, act))
  if not asked then
    chat:note(tostring(why))
  end
end

local function enter(method)
  return function(chat, argument)
    local name, topic = argument:match("^#?(%S+)%s*(.-)$")
    local params = { room = name or argument }
    if method == "create" and name == "-p" then
      name, topic = topic:match("^#?(%S+)%s*(.-)$")
      params.room, params.private = name or "", true
      topic = topic or ""
    end
    if method == "create" and topic ~= "" then
      params.topic = topic
    end
    ask(chat, method, params, function(state)
      chat:go_to(state.room)
    end)
  end
end

local list = {}

local function define(name, usage, help, act, needs_argument)
  local command = { name = name, usage = usage, help = help, act = act, needs = needs_argument }
  list[#list + 1] = command
  commands[name] = command
end

-- Other words for a command.
local function also(name, ...)
  for _, word in ipairs({ ... }) do
    commands[word] = commands[name]
  end
end

define("join", "/join ROOM", "join a room, and go there", enter("join"), true)
define("create", "/create [-p] ROOM [TOPIC]", "make a room (-p: private), and go there", enter("create"), true)

define("msg", "/msg NAME [TEXT]", "talk to one person alone; without a text: go there", function(chat, argument)
  local name, said = argument:match("^@?(%S+)%s*(.-)$")
  ask(chat, "direct", { name = name or argument }, function(state)
    if said ~= "" then
      chat:say(state.room, said)
    else
      chat:go_to(state.room)
    end
  end)
end, true)

define("room", "/room [ROOM|@NAME]", "go to a room that you are in; alone: tell them all", function(chat, argument)
  if argument == "" then
    for _, name in ipairs(chat.client:room_names()) do
      local state = chat.client:room(name)
      local here = name == chat.room and "* " or "  "
      local topic = state.topic and state.topic ~= "" and ": " .. state.topic or ""
      chat:note(here .. format.room(chat.client, name) .. topic)
    end
    return
  end
  for _, name in ipairs(chat.client:room_names()) do
    local with = (chat.client:room(name) or {}).with
    if name == argument:gsub("^#", "") or (with and "@" .. with == argument) then
      return chat:go_to(name)
    end
  end
  chat:note("you are not in " .. argument .. "; /join it")
end)

define("leave", "/leave [ROOM]", "leave a room, or this one", function(chat, argument)
  local name = argument ~= "" and argument:gsub("^#", "") or chat.room
  if name then
    ask(chat, "leave", { room = name }, function()
      chat:note("you left " .. name)
    end)
  end
end)

define("rooms", "/rooms", "list the rooms of the server", function(chat)
  local asked, why = chat.client:collect("rooms", {}, on_result(chat, function(all)
    for _, room in ipairs(all) do
      local topic = room.topic ~= "" and ": " .. room.topic or ""
      chat:note(("#%s (%s)%s"):format(room.room, format.members(room.members), topic))
    end
  end))
  if not asked then
    chat:note(tostring(why))
  end
end)

define("members", "/members", "list who is here", function(chat)
  if not chat.room then
    return chat:note("you are in no room")
  end
  local asked, why = chat.client:collect("members", { room = chat.room }, on_result(chat, function(all)
    local names = {}
    for i, member in ipairs(all) do
      names[i] = member.name .. (member.role ~= "member" and " (" .. member.role .. ")" or "")
    end
    chat:note(("%s: %s"):format(format.members(#all), table.concat(names, " ")))
  end))
  if not asked then
    chat:note(tostring(why))
  end
end)

define("topic", "/topic [TEXT]", "show the topic, or set it", function(chat, argument)
  local set = argument ~= "" and argument or nil
  ask(chat, "topic", { room = chat.room, topic = set }, function(state)
    if not set then
      chat:note(state.topic == "" and "there is no topic" or "topic: " .. state.topic)
    end
  end)
end)

-- A word of `/call` as the parameter's type wants it.
local function typed(field, word)
  local kind = field and field.shape[1]
  if kind == "uint" then
    return tonumber(word) or word
  elseif kind == "bool" then
    return word == "true"
  elseif kind == "array" then
    local items = {}
    for item in word:gmatch("[^,]+") do
      items[#items + 1] = item
    end
    return items
  end
  return word
end

define("call", "/call METHOD [KEY=VALUE]...", "ask any method of the protocol", function(chat, argument)
  local method, rest = argument:match("^(%S+)%s*(.-)$")
  local params, fields = {}, {}
  for _, field in ipairs((codec.methods[method] or { params = {} }).params) do
    fields[field.name] = field
  end
  -- The last value may have spaces in it.
  for key, value in (" " .. rest):gmatch("%s([%w_]+)=(.-)%f[%z\1-\32]") do
    params[key] = typed(fields[key], value)
  end
  ask(chat, method, params, function(result)
    local keys = {}
    for key in pairs(result) do
      keys[#keys + 1] = key
    end
    table.sort(keys)
    for i, key in ipairs(keys) do
      local value = result[key]
      local is_secret = key == "token"
      keys[i] = key .. "=" .. (is_secret and "..." or type(value) == "table" and #value .. " items" or tostring(value))
    end
    chat:note(method .. ": " .. (#keys > 0 and table.concat(keys, " ") or "done"))
  end)
end, true)

require("klatch.chat.messages")(define, ask, on_result)
require("klatch.chat.moderation")(define, ask)
require("klatch.chat.account")(define, ask, on_result)

define("name", "/name NAME", "go on under another name", function(chat, argument)
  chat:rename(argument)
end, true)

define("quit", "/quit", "end (or Ctrl-D); the device stays logged in", function(chat)
  chat:quit()
end)

define("help", "/help", "this", function(chat)
  for _, command in ipairs(list) do
    chat:note(("%-28s %s"):format(command.usage, command.help))
  end
  chat:note("a line that begins with // is said with one of them")
end)

also("join", "j")
also("leave", "part")
also("msg", "direct", "query")
also("members", "who")
also("reply", "re")
also("delete", "del")
also("search", "find")
also("rooms", "list")
also("name", "nick")
also("help", "h")
also("quit", "q", "exit")

--- Does what a line says: a command, or a text for the room.
-- `chat` has `client`, `room`, `timeline`, and the methods `note`, `show`, `show_stored`, `say`, `go_to`,
-- `secret`, `rename`, `quit`.
function commands.run(chat, line)
  local name, argument = line:match("^/(%a+)%s*(.-)%s*$")
  if not name then
    local said = line:gsub("^//", "/")
    if not said:find("%S") then
      return
    elseif not chat.room then
      return chat:note("you are in no room: /join one")
    end
    return chat:say(chat.room, said)
  end
  local command = commands[name]
  if type(command) ~= "table" then
    chat:note(("there is no command /%s; /help tells them all"):format(text.line(name)))
  elseif command.needs and argument == "" then
    chat:note("usage: " .. command.usage)
  else
    command.act(chat, argument)
  end
end

--- The endings of a word: names of commands, of rooms, and of those who were heard.
function commands.complete(chat, word, is_first)
  local candidates, endings = {}, {}
  if is_first and word:sub(1, 1) == "/" then
    for _, command in ipairs(list) do
      candidates["/" .. command.name] = " "
    end
  else
    for _, name in ipairs(chat.client:room_names()) do
      candidates[name] = " "
    end
    for name in pairs(chat.heard) do
      candidates[name] = is_first and ": " or " "
    end
  end
  for candidate, after in pairs(candidates) do
    if candidate:sub(1, #word) == word and word ~= "" then
      endings[#endings + 1] = candidate:sub(#word + 1) .. after
    end
  end
  return endings
end

return commands
