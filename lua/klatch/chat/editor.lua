--- The line that is being written: keys go in, the line to show comes out. No I/O.
-- @module klatch.chat.editor

local text = require("klatch.text")

local Editor = {}
Editor.__index = Editor

-- Lines that the arrow keys bring back, and bytes of one line.
local HISTORY, BYTES = 200, 65536

--- @param done function of a line that was entered
-- @param complete function of the word before the cursor and whether it is the first: its endings
function Editor.new(done, complete)
  return setmetatable({
    done = done,
    complete = complete,
    before = {}, -- characters before the cursor
    after = {}, -- and after it, the next one last
    bytes = 0,
    pending = "",
    history = {},
    at = 1,
  }, Editor)
end

local function set(self, line)
  self.before, self.after, self.bytes = {}, {}, #line
  for character in text.characters(line) do
    table.insert(self.before, character)
  end
end

--- The whole line.
function Editor:line()
  local after = {}
  for i = #self.after, 1, -1 do
    after[#after + 1] = self.after[i]
  end
  return table.concat(self.before) .. table.concat(after)
end

local function insert(self, characters)
  for character in text.characters(characters) do
    if self.bytes + #character <= BYTES then
      table.insert(self.before, character)
      self.bytes = self.bytes + #character
    end
  end
end

local function enter(self)
  local line = self:line()
  set(self, "")
  if not self.hidden and line:find("%S") and line ~= self.history[#self.history] then
    table.insert(self.history, line)
    if #self.history > HISTORY then
      table.remove(self.history, 1)
    end
  end
  self.at = #self.history + 1
  self.done(line)
end

local function remove_word(self)
  local seen = false
  while #self.before > 0 do
    local character = self.before[#self.before]
    if character == " " and seen then
      return
    end
    seen = seen or character ~= " "
    table.remove(self.before)
    self.bytes = self.bytes - #character
  end
end

local function remove(self, list)
  local character = table.remove(list)
  self.bytes = self.bytes - (character and #character or 0)
end

local function move(self, from, to, all)
  repeat
    local character = table.remove(from)
    if character then
      table.insert(to, character)
    end
  until not (all and character)
  return self
end

local function recall(self, by)
  local at = math.max(1, math.min(self.at + by, #self.history + 1))
  self.at = at
  set(self, self.history[at] or "")
end

local function finish_word(self)
  local line = table.concat(self.before)
  local word = line:match("(%S*)$")
  local endings = self.complete(word, #word == #line)
  if #endings == 1 then
    insert(self, endings[1])
  elseif #endings > 1 then
    local common = endings[1]
    for _, ending in ipairs(endings) do
      while ending:sub(1, #common) ~= common do
        common = common:sub(1, -2)
      end
    end
    -- A character that is not whole is left to be typed.
    while #common > 0 and not require("klatch.scan").is_utf8(common) do
      common = common:sub(1, -2)
    end
    insert(self, common)
  end
end

local keys = {
  ["\r"] = enter,
  ["\n"] = enter,
  ["\t"] = finish_word,
  ["\127"] = function(self) remove(self, self.before) end,
  ["\8"] = function(self) remove(self, self.before) end,
  ["\1"] = function(self) move(self, self.before, self.after, true) end, -- ^A
  ["\5"] = function(self) move(self, self.after, self.before, true) end, -- ^E
  ["\11"] = function(self) -- ^K
    set(self, table.concat(self.before))
  end,
  ["\21"] = function(self) set(self, "") end, -- ^U
  ["\23"] = remove_word, -- ^W
}
keys["\27[A"] = function(self) recall(self, -1) end
keys["\27[B"] = function(self) recall(self, 1) end
keys["\27[C"] = function(self) move(self, self.after, self.before) end
keys["\27[D"] = function(self) move(self, self.before, self.after) end
keys["\27[H"], keys["\27[F"] = keys["\1"], keys["\5"]
keys["\27[1~"], keys["\27[4~"] = keys["\1"], keys["\5"]
keys["\27[3~"] = function(self) remove(self, self.after) end
keys["\27[200~"] = function(self) self.pasting = true end
keys["\27[201~"] = function(self) self.pasting = false end
for _, key in ipairs({ "A", "B", "C", "D", "H", "F" }) do
  keys["\27O" .. key] = keys["\27[" .. key]
end

-- Whether these bytes begin a key or a character of which more is to come.
local function is_part(bytes)
  local first = bytes:byte()
  if first == 27 then
    return #bytes < 12 and (bytes == "\27" or bytes == "\27O" or bytes:find("^\27%[[%d;]*$") ~= nil)
  end
  local size = first >= 0xf0 and 4 or first >= 0xe0 and 3 or first >= 0xc2 and 2 or 1
  return #bytes < size and not bytes:find("[%z\1-\127]", 2)
end

--- Takes one byte from the keyboard.
function Editor:feed(byte)
  local bytes = self.pending .. byte
  if is_part(bytes) then
    self.pending = bytes
    return
  end
  self.pending = ""
  if self.pasting and (bytes == "\r" or bytes == "\n") then
    insert(self, "\n")
  elseif self.pasting and bytes == "\t" then
    insert(self, bytes)
  elseif keys[bytes] then
    keys[bytes](self)
  elseif bytes:byte() >= 32 and bytes:byte() ~= 127 then
    insert(self, bytes)
  end
end

--- What to write to the terminal for the prompt and the line, on one row of so many columns.
-- Of a line that is `hidden` nothing is shown, not even its length.
function Editor:draw(prompt, columns)
  if self.hidden then
    return "\r\27[K" .. prompt
  end
  local cells, room = {}, columns - 1 - text.width(prompt)
  local width = 0
  for i = #self.before, 1, -1 do
    local cell = text.one_line(self.before[i])
    width = width + text.width(cell)
    if width > room then
      width = width - text.width(cell)
      break
    end
    table.insert(cells, 1, cell)
  end
  local line, rest = table.concat(cells), {}
  for i = #self.after, 1, -1 do
    local cell = text.one_line(self.after[i])
    width = width + text.width(cell)
    if width > room then
      break
    end
    rest[#rest + 1] = cell
  end
  local shown = table.concat(rest)
  local back = text.width(shown)
  return "\r\27[K" .. prompt .. line .. shown .. (back > 0 and ("\27[%dD"):format(back) or "")
end

return Editor
