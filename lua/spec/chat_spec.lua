-- The parts of the chat program that need no terminal.
local commands = require("klatch.chat.commands")
local Editor = require("klatch.chat.editor")
local options = require("klatch.chat.options")

describe("the line that is being written", function()
  local entered

  local function editor()
    entered = {}
    return Editor.new(function(line)
      entered[#entered + 1] = line
    end, function(word)
      return word == "he" and { "llo ", "lp " } or word == "bo" and { "b: " } or {}
    end)
  end

  local function feed(bytes)
    local line = editor()
    for byte in bytes:gmatch(".") do
      line:feed(byte)
    end
    return line:line()
  end

  it("takes keys", function()
    for keys, want in pairs({
      ["abc\127d"] = "abd",
      ["žlu\127\127"] = "ž",
      ["ac\27[Db"] = "abc",
      ["bc\1a"] = "abc",
      ["ab\27[H\27[3~"] = "b",
      ["one two\23"] = "one ",
      ["one\21two"] = "two",
      ["abc\27[D\27[D\11"] = "a",
      ["bo\t"] = "bob: ",
      ["he\t"] = "hel",
      ["x\27[99;99zy\27y"] = "xy",
      ["a\1\27[C\5z"] = "az",
      ["\27[200~a\rb\tc\27[201~d"] = "a\nb\tcd",
    }) do
      assert.are.equal(want, feed(keys), (keys:gsub("%c", "?")))
    end
  end)

  it("is entered, and brought back", function()
    local line = editor()
    for byte in ("one\rtwo\r\27[A\27[A"):gmatch(".") do
      line:feed(byte)
    end
    assert.are.same({ "one", "two" }, entered)
    assert.are.equal("one", line:line())
    for byte in ("\27[B\27[B"):gmatch(".") do
      line:feed(byte)
    end
    assert.are.equal("", line:line())
  end)

  it("fits a row, and never acts on the terminal", function()
    local line = editor()
    for byte in (("x"):rep(200) .. "end"):gmatch(".") do
      line:feed(byte)
    end
    local drawn = line:draw("> ", 40):gsub("^\r\27%[K", "")
    assert.are.equal(39, #drawn)
    assert.is_truthy(drawn:find("xend$"))
    line = editor()
    for byte in ("a\194\155b"):gmatch(".") do
      line:feed(byte)
    end
    assert.is_nil(line:draw("> ", 40):find("\194\155", 1, true))
  end)
end)

describe("the command line", function()
  it("is read", function()
    local read = options.read({ "-s", "h:1", "--name=ann", "-r", "a", "--room", "b", "--plain", "-l" })
    assert.are.same({ server = "h:1", name = "ann", rooms = { "a", "b" }, plain = true, line = true }, read)
    for _, wrong in ipairs({ { "--nonsense" }, { "--server" }, { "--line=1" }, { "--plain", "--ca", "x" }, { "x" } }) do
      assert.is_nil((options.read(wrong)))
    end
  end)
end)

describe("a line that is entered", function()
  local function chat()
    local told = { asked = {}, notes = {}, said = {} }
    told.chat = {
      room = "lobby",
      heard = { bob = true },
      client = {
        request = function(_, method, params)
          table.insert(told.asked, { method, params })
          return true
        end,
        room_names = function()
          return { "lobby" }
        end,
      },
      note = function(_, line)
        table.insert(told.notes, line)
      end,
      say = function(_, room, text)
        table.insert(told.said, room .. " " .. text)
      end,
    }
    return told
  end

  it("is said, or is a command", function()
    local told = chat()
    local lines = { "hello", "  ", "//etc", "/join ops", "/topic New things", "/query @bob", "/nonsense x", "/join" }
    for _, line in ipairs(lines) do
      commands.run(told.chat, line)
    end
    assert.are.same({ "lobby hello", "lobby /etc" }, told.said)
    assert.are.same({
      { "join", { room = "ops" } },
      { "topic", { room = "lobby", topic = "New things" } },
      { "direct", { name = "bob" } },
    }, told.asked)
    assert.are.same({
      "there is no command /nonsense; /help tells them all",
      "usage: /join ROOM",
    }, told.notes)
  end)

  it("reaches any method of the protocol", function()
    local told = chat()
    commands.run(told.chat, "/call typing room=lobby active=true")
    commands.run(told.chat, "/call rooms limit=3")
    assert.are.same({
      { "typing", { room = "lobby", active = true } },
      { "rooms", { limit = 3 } },
    }, told.asked)
  end)

  it("completes names and commands", function()
    local told = chat()
    assert.are.same({ "b: " }, commands.complete(told.chat, "bo", true))
    assert.are.same({ "b " }, commands.complete(told.chat, "bo", false))
    assert.are.same({ "bers " }, commands.complete(told.chat, "/mem", true))
    assert.are.same({}, commands.complete(told.chat, "", true))
  end)
end)
