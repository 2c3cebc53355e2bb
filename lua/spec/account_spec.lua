-- Accounts: how the core takes its name, which rooms it is at home in; the tokens that are kept; the
-- commands about accounts and order.
local commands = require("klatch.chat.commands")
local conversation = require("spec.conversation")
local Editor = require("klatch.chat.editor")
local errors = require("klatch.errors")
local format = require("klatch.chat.format")
local Reading = require("klatch.chat.reading")
local support = require("spec.support")
local tokens = require("klatch.tokens")

local asked, feed = conversation.asked, conversation.feed

local function greeted(options)
  local core = support.core(options)
  core:opened(0)
  feed(core, support.result(asked(core, "hello").id, {
    version = 1, server = "s", durability = "durable", capabilities = support.list({}),
    limits = support.limits, time = 1800000000000, guests = false, registration = "invite",
  }))
  return core
end

local function logged_in(core, request, more)
  local result = {
    name = "ann", guest = false, admin = false, token = support.bin(("t"):rep(32)), hold_ms = 0,
    rooms = support.list({ "lobby" }),
  }
  for key, value in pairs(more or {}) do
    result[key] = value
  end
  feed(core, support.result(request.id, result))
  feed(core, support.event("room", support.room()))
end

describe("a client with an account", function()
  it("logs in with the password once, and with the token from then on", function()
    local core = greeted({ password = "correct horse", device = "a spec" })
    local login = asked(core, "login")
    assert.are.same({ name = "ann", password = "correct horse", device = "a spec" }, login.params)
    logged_in(core, login)
    assert.is_true(core.is_account)
    assert.is_nil(core.password)
    assert.is_nil(core.options.password)
    assert.is_truthy(core:lost(errors.new("io", "cut"), 1, 0))
    core:opened(2)
    feed(core, support.result(asked(core, "hello", 2).id, {
      version = 1, server = "s", durability = "durable", capabilities = support.list({}),
      limits = support.limits, time = 1800000000000, guests = false, registration = "invite",
    }), 2)
    assert.are.same({ name = "ann", token = ("t"):rep(32) }, asked(core, "login", 2).params)
  end)

  it("registers, and after a lost answer finds out whether it did", function()
    local options = { password = "correct horse", register = true, invite = "code", patient = true }
    local core = greeted(options)
    assert.are.same({ name = "ann", password = "correct horse", invite = "code" }, asked(core, "register").params)
    assert.is_truthy(core:lost(errors.new("io", "cut"), 1, 0))
    core:opened(2)
    feed(core, support.result(asked(core, "hello", 2).id, {
      version = 1, server = "s", durability = "durable", capabilities = support.list({}),
      limits = support.limits, time = 1800000000000, guests = false, registration = "invite",
    }), 2)
    local login = asked(core, "login", 2)
    assert.are.equal("correct horse", login.params.password)
    feed(core, support.refusal(login.id, 202, "bad_credentials"), 2)
    logged_in(core, asked(core, "register", 2))
    assert.is_true(core:is_online())
  end)

  it("is told by a refusal, once", function()
    local core = greeted({ password = "wrong" })
    local went, error = core:receive(support.refusal(asked(core, "login").id, 202, "bad_credentials"), 1)
    assert.is_nil(went)
    assert.is_nil(core:lost(error, 1, 0))
    assert.is_true(core:has_ended())
  end)

  it("is at home where the server says, and nowhere else", function()
    local core = greeted({ password = "x", positions = { old = { epoch = 8, seq = 3 } }, rooms = { "ops" } })
    logged_in(core, asked(core, "login"))
    feed(core, support.result(asked(core, "join").id, support.room({ room = "ops" })))
    assert.are.same({ "connected", "room", "room", "gone", "ready" }, support.story(core))
    assert.is_nil(core.rooms.old)
  end)

  it("hears that it is out of a room, or asked into one", function()
    local core = conversation.online()
    feed(core, support.event("invited", { room = "den", by = "bob" }))
    feed(core, support.event("ranked", { room = "lobby", name = "ann", role = "owner", by = "bob" }))
    feed(core, support.event("configured", {
      room = "lobby", kind = "private", announcement = true, slow_ms = 5000, by = "bob",
    }))
    local state = core.rooms.lobby.state
    assert.are.same({ "owner", "private", true, 5000 }, { state.role, state.kind, state.announcement, state.slow_ms })
    feed(core, support.event("removed", { room = "lobby", reason = "kicked", by = "bob", text = "enough" }))
    assert.is_nil(core.rooms.lobby)
    assert.are.same({ "invited", "ranked", "configured", "removed", "gone" }, support.story(core))
  end)

  it("hears how far it has read elsewhere, and tells how far here", function()
    local core = conversation.online()
    feed(core, support.event("read", { room = "lobby", seq = 5 }) .. support.event("read", { room = "lobby", seq = 4 }))
    assert.are.equal(5, core.rooms.lobby.state.read)
    local due, asked_for = {}, {}
    local client = { core = { is_account = true } }
    function client.room()
      return core.rooms.lobby.state
    end
    function client.after(_, _, act)
      due[#due + 1] = act
    end
    function client.request(_, method, params)
      asked_for[#asked_for + 1] = { method, params }
    end
    local reading = Reading.new(client)
    for _, seq in ipairs({ 5, 7, 6, 8 }) do
      reading:saw("lobby", seq)
    end
    assert.are.equal(1, #due)
    due[1]()
    assert.are.same({ { "mark_read", { room = "lobby", seq = 8 } } }, asked_for)
    client.core.is_account = false
    reading:saw("lobby", 9)
    assert.are.equal(1, #due)
  end)

  it("knows whether its token is of use when it ends", function()
    for method, void in pairs({ quit = false, logout = true, unregister = true }) do
      local core = conversation.online()
      assert(core:request(method, method == "unregister" and { password = "x" } or {}))
      feed(core, support.event("bye", { code = 0, name = "logout", text = "Bye.", resume = false }))
      core:lost(errors.new("io", "closed"), 2, 0)
      assert.are.equal(void, core:is_logged_out(), method)
    end
    local core = conversation.online()
    feed(core, support.event("bye", { code = 207, name = "revoked", text = "Bye.", resume = false }))
    core:lost(errors.new("io", "closed"), 2, 0)
    assert.is_true(core:is_logged_out())
  end)
end)

describe("tokens", function()
  it("are kept for their owner, one for each account", function()
    local path = os.tmpname()
    local first, second = ("\1\255"):rep(16), ("\2\13"):rep(16)
    assert(tokens.keep(path, "h:1", "ann", first))
    assert(tokens.keep(path, "h:1", "bob", second))
    assert(tokens.keep(path, "h:2", "ann", second))
    assert.are.equal(first, tokens.of(path, "h:1", "Ann"))
    assert(tokens.keep(path, "h:1", "ANN", second))
    assert.are.equal(second, tokens.of(path, "h:1", "ann"))
    assert(tokens.keep(path, "h:1", "ann", nil))
    assert.is_nil(tokens.of(path, "h:1", "ann"))
    assert.are.equal(second, tokens.of(path, "h:2", "ann"))
    os.remove(path)
    assert.is_nil(tokens.of(path, "h:2", "ann"))
    assert.is_nil((tokens.keep("/dev/null/there", "h:1", "ann", first)))
  end)
end)

describe("commands", function()
  local function run(line, answers)
    local told = { asked = {}, notes = {} }
    local chat = {
      room = "den",
      client = {
        request = function(_, method, params, callback)
          table.insert(told.asked, { method, params })
          callback(answers or {})
          return true
        end,
      },
      note = function(_, text)
        table.insert(told.notes, text)
      end,
      secret = function(_, prompt, act)
        act(prompt:find("now") and "old" or "new")
      end,
      go_to = function() end,
    }
    commands.run(chat, line)
    return told.asked[1] or told.notes[1], told.notes
  end

  it("keep order", function()
    for line, want in pairs({
      ["/kick @bob too loud"] = { "kick", { room = "den", name = "bob", text = "too loud" } },
      ["/ban bob 2h too loud"] = { "ban", { room = "den", name = "bob", ms = 7200000, text = "too loud" } },
      ["/ban bob too loud"] = { "ban", { room = "den", name = "bob", text = "too loud" } },
      ["/unban bob"] = { "ban", { room = "den", name = "bob", ms = 0 } },
      ["/mute bob 10m"] = { "mute", { room = "den", name = "bob", ms = 600000 } },
      ["/mute bob"] = { "mute", { room = "den", name = "bob" } },
      ["/unmute @bob"] = { "mute", { room = "den", name = "bob", ms = 0 } },
      ["/role bob moderator"] = { "rank", { room = "den", name = "bob", role = "moderator" } },
      ["/invite bob"] = { "invite", { room = "den", name = "bob" } },
      ["/ban bob 10"] = { "ban", { room = "den", name = "bob", ms = 600000 } },
      ["/set private slow 10s"] = { "configure", { room = "den", private = true, slow_ms = 10000 } },
      ["/set announcement on slow 5"] = { "configure", { room = "den", announcement = true, slow_ms = 5000 } },
      ["/set public announcement off slow off"] = {
        "configure", { room = "den", private = false, announcement = false, slow_ms = 0 },
      },
      ["/create -p attic Up here"] = { "create", { room = "attic", topic = "Up here", private = true } },
      ["/logout"] = { "logout", {} },
      ["/logout all"] = { "logout", { all = true } },
      ["/revoke 7"] = { "revoke", { device = 7 } },
      ["/passwd"] = { "passwd", { old = "old", new = "new" } },
      ["/mute bob soon"] = "usage: /mute NAME [TIME]",
      ["/set keep 30d"] = { "configure", { room = "den", keep_ms = 2592000000 } },
      ["/rename #attic"] = { "rename_room", { room = "den", name = "attic" } },
      ["/destroy den"] = { "delete_room", { room = "den" } },
      ["/block @bob"] = { "block", { name = "bob", on = true } },
      ["/unblock bob"] = { "block", { name = "bob", on = false } },
      ["/unregister"] = { "unregister", { password = "new" } },
      ["/role bob"] = "usage: /role NAME ROLE",
      ["/revoke it"] = "usage: /revoke ID",
      ["/set announcement"] = "usage: /set [private|public] [announcement on|off] [slow TIME|off] [keep TIME|off]",
      ["/set nonsense"] = "usage: /set [private|public] [announcement on|off] [slow TIME|off] [keep TIME|off]",
    }) do
      assert.are.same(want, (run(line)), line)
    end
  end)

  it("list devices and standings", function()
    local _, notes = run("/devices", { devices = {
      { id = 7, device = "Firefox", seen = 0, online = true, current = false },
      { id = 8, device = "", seen = 0, online = true, current = true },
    } })
    assert.are.same({ "7  Firefox, online", "8  (unnamed), this one" }, notes)
    _, notes = run("/standings", { standings = {
      { name = "bob", role = "moderator", invited = false, banned_until = "18446744073709551615" },
      { name = "eve", role = "member", invited = true },
    } })
    assert.are.same({ "bob: moderator, banned for good", "eve: invited" }, notes)
  end)

  it("show what happens to rooms", function()
    local client = { room = function() end }
    for want, event in pairs({
      ["! put out by bob: enough"] = { type = "removed", reason = "kicked", by = "bob", text = "enough" },
      ["! the room was deleted by bob"] = { type = "removed", reason = "deleted", by = "bob" },
      ["* bob renamed the room to attic"] = { type = "renamed", name = "attic", by = "bob" },
      ["! left on another device"] = { type = "removed", reason = "left" },
      ["! bob invites you: /join den"] = { type = "invited", by = "bob" },
      ["* bob made eve owner"] = { type = "ranked", by = "bob", name = "eve", role = "owner" },
      ["* bob set the room: private, moderators write, every 5 s"] = {
        type = "configured", by = "bob", kind = "private", announcement = true, slow_ms = 5000,
      },
    }) do
      event.room = "den"
      assert.are.equal("#den " .. want, (format.event(client, event):gsub("^%S+ ", "")))
    end
  end)

  it("show nothing of a password", function()
    local entered
    local editor = Editor.new(function(line)
      entered = line
    end, function()
      return {}
    end)
    editor.hidden = true
    for byte in ("pass worx\127d"):gmatch(".") do
      editor:feed(byte)
    end
    assert.are.equal("\r\27[Kold: ", editor:draw("old: ", 80))
    editor:feed("\r")
    editor:feed("\27[A")
    assert.are.equal("pass word", entered)
    assert.are.equal("", editor:line())
  end)
end)
