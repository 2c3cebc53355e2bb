--- The chat program on a terminal: what is said scrolls up, the last row is the line being written.
-- @module klatch.chat.terminal

local answers = require("klatch.answers")
local commands = require("klatch.chat.commands")
local Editor = require("klatch.chat.editor")
local format = require("klatch.chat.format")
local keyboard = require("klatch.chat.keyboard")
local Reading = require("klatch.chat.reading")
local text = require("klatch.text")
local Timeline = require("klatch.timeline")
local Typing = require("klatch.chat.typing")

local Chat = {}
Chat.__index = Chat

-- Entries of the history that are shown on coming into a room.
local LOOK_BACK = 10

local function redraw(self)
  if self.editor and not self.over then
    local room = self.room and format.room(self.client, self.room) or "no room"
    local asking, typing = self.asking, self.typing:words(self.room)
    local prompt = asking and asking.prompt or ("[%s] "):format(typing and room .. ", " .. typing or room)
    io.write((asking or self).editor:draw(prompt, self.columns))
    io.flush()
  end
end

local function print_line(self, line)
  io.write("\r\27[K", line, "\n")
  redraw(self)
end

--- A line of the program's own.
function Chat:note(line)
  print_line(self, "-- " .. text.one_line(line))
end

-- A message as it is now; what it answers is quoted, if that is known.
local function show_message(self, message, is_dated)
  local answered = message.re and self.timeline:message(message.room, message.re)
  print_line(self, format.message(self.client, message, answered, is_dated))
end

--- An event of a room, if it has a line.
function Chat:show(event)
  local message = self.timeline:take(event)
  if event.type == "message" then
    return show_message(self, message or event)
  end
  local line = format.event(self.client, event)
  if line then
    print_line(self, line)
  end
end

-- Changes of messages: of an entry of the history they show already.
local CHANGES = { edit = true, delete = true, react = true, unreact = true }

--- An entry of a history or of a search.
function Chat:show_stored(event, is_dated)
  if event.type == "message" then
    -- Without the head of its page nobody can tell which changes it has already.
    show_message(self, event.head and self.timeline:take(event) or event, is_dated)
  elseif not CHANGES[event.type] then
    self:show(event)
  end
end

--- Says a text, as an answer to the message `re` if there is one, and tells if it was refused.
function Chat:say(room, said, re)
  self.typing:said(room)
  local asked, why = self.client:say({ room = room, text = text.outgoing(said), re = re }, function(_, error)
    if error then
      self:note("not said: " .. tostring(error))
    end
  end)
  if not asked then
    self:note("not said: " .. tostring(why))
  end
end

-- Shows the end of a room's history, the first time that one goes there.
local function look_back(self, room)
  local state = self.client:room(room)
  if self.looked_at[room] or not state or state.seq == 0 then
    return
  end
  self.looked_at[room] = true
  self.client:request("history", { room = room, limit = LOOK_BACK }, function(page)
    for _, entry in ipairs(page and page.entries or {}) do
      -- What came since is on the screen; what is no number is no place.
      if type(entry.seq) == "number" and entry.seq <= state.seq then
        self:show_stored(answers.stored(room, entry, page.head))
      end
    end
  end)
end

--- Has texts go to this room from now on.
function Chat:go_to(room)
  self.room = room
  local state = self.client:room(room)
  if state then
    local topic = state.topic ~= "" and ": " .. state.topic or ""
    self:note(("%s (%s)%s"):format(format.room(self.client, room), format.members(state.members), topic))
    look_back(self, room)
    self.reading:saw(room, self.client.core.rooms[room].last)
  end
end

--- Asks for something that is not shown, and hands it to `act`; Ctrl-C asks no more.
function Chat:secret(prompt, act)
  local editor = Editor.new(function(line)
    self.asking = nil
    if line ~= "" then
      act(line)
    end
    redraw(self)
  end, function()
    return {}
  end)
  editor.hidden = true
  self.asking = { prompt = prompt, editor = editor }
  redraw(self)
end

--- Goes on under another name: this session ends, and whoever ran it begins another.
function Chat:rename(name)
  self.next_name = name
  self:quit()
end

--- Ends the session; without a connection there is nothing to wait for. An account stays logged in.
function Chat:quit()
  if not self.leaving and self.client:quit() then
    self.leaving = true
  else
    self.over = true
  end
end

-- Whether an event stands in its room's order.
local function client_follows(self, event)
  local room = self.client.core.rooms[event.room]
  return room ~= nil and event.seq ~= nil and event.seq == room.last
end

local function listen(self)
  self.client:on("*", function(event)
    local note = format.note(event)
    if note then
      self:note(note)
    end
    if event.from and event.from ~= self.client:name() then
      self.heard[event.from] = true
    end
    self.typing:take(event)
    if event.room and event.room == self.room and client_follows(self, event) then
      self.reading:saw(event.room, event.seq)
    end
    if event.type == "renamed" then
      self.looked_at[event.name] = self.looked_at[event.room]
      self.room = self.room == event.room and event.name or self.room
    end
    if event.type == "gone" and event.room == self.room then
      self.room = self.client:room_names()[1]
      redraw(self)
    end
    if event.type == "room" and event.with then
      self:note(("the direct room with %s is open: /room @%s"):format(event.with, event.with))
    elseif event.type ~= "ended" then
      self:show(event)
    end
  end)
end

local function read_keys(self)
  return keyboard.read(function(byte)
    if byte == "\3" and self.asking then
      self.asking = nil
    elseif not byte or byte == "\3" or (byte == "\4" and self.editor:line() == "") then
      self:quit()
    elseif byte == "\12" then
      io.write("\27[2J\27[H")
    elseif byte ~= "\4" then
      local editor = (self.asking or self).editor
      editor:feed(byte)
      if not self.asking then
        self.typing:writes(self.room, self.editor:line())
      end
    end
  end)
end

--- Runs the program until it ends.
-- @return true, false, and the name to go on under, if one was asked for; or nil and why it ended
function Chat.run(client, options)
  local self = setmetatable({
    client = client,
    heard = {},
    looked_at = {},
    timeline = Timeline.new(),
    columns = keyboard.columns(),
  }, Chat)
  self.reading = Reading.new(client)
  self.typing = Typing.new(client, function()
    redraw(self)
  end)
  self.room = options.rooms[1] and client:room(options.rooms[1]) and options.rooms[1] or client:room_names()[1]
  self.editor = Editor.new(function(line)
    self.columns = keyboard.columns()
    redraw(self)
    commands.run(self, line)
  end, function(word, is_first)
    return commands.complete(self, word, is_first)
  end)
  listen(self)
  local restore = keyboard.raw()
  client:watch(0, function()
    local goes_on = read_keys(self)
    redraw(self)
    return goes_on
  end)
  local sound, ended, why = pcall(function()
    self:note(("you are %s; /help tells what can be done"):format(client:name()))
    if client.core.is_account then
      commands.run(self, "/unread")
    end
    if self.room then
      self:go_to(self.room)
    end
    return client:run(function()
      return self.over
    end)
  end)
  self.over = true
  restore()
  if not sound then
    error(ended, 0)
  end
  return ended, why or false, self.next_name
end

return Chat
