-- The core as a conversation: what it does when connections end.
local errors = require("klatch.errors")
local conversation = require("spec.conversation")
local support = require("spec.support")

local feed = conversation.feed
local asked = conversation.asked
local online = conversation.online
local page = conversation.page
local entry = conversation.entry

describe("a lost connection", function()
  it("is resumed: the token, the rooms, what was missed", function()
    local core = online()
    feed(core, support.message(1))
    support.events(core)
    assert(core:lost(errors.new("io", "closed"), 2, 0))
    local login = support.login(core, 3, { seq = 3 })
    assert.are.equal(("t"):rep(32), login.params.token)
    local history = asked(core, "history", 3)
    assert.are.equal(1, history.params.after)
    feed(core, support.message(4), 3)
    feed(core, page(history.id, { entry(2), entry(3) }, { head = 4 }), 3)
    assert.are.same(
      { "disconnected", "connected", "room", "message 2", "message 3", "message 4" },
      support.story(core)
    )
  end)

  it("leaves texts in the outbox: sent again in order, with the same keys, none that was answered", function()
    local core = online()
    for i = 1, 4 do
      assert(core:request("say", { room = "lobby", text = tostring(i) }))
    end
    assert(core:request("members", { room = "lobby" }))
    local sent = support.requests(core:take(1))
    feed(core, support.result(sent[2].id, { seq = 2, time = 1, dup = false }))
    support.events(core)
    core:lost(errors.new("io", "closed"), 2, 0)
    assert.are.equal("disconnected", support.events(core, { disconnected = true })[1].error.kind)
    assert(core:request("say", { room = "lobby", text = "5" }))
    assert.are.equal(4, #core:outbox())
    support.login(core, 3)
    local again = support.requests(core:take(3))
    local texts = {}
    for i, request in ipairs(again) do
      texts[i] = request.params.text
    end
    assert.are.same({ "1", "3", "4", "5" }, texts)
    assert.are.equal(sent[1].params.key, again[1].params.key)
  end)

  it("leaves many texts in their order", function()
    local core = online()
    for i = 1, 29 do
      assert(core:request("say", { room = "lobby", text = tostring(i) }))
    end
    core:take(1)
    -- Numbers far from each other lie in no order of their own in a table.
    local spread = {}
    for _, request in pairs(core.requests.sent) do
      request.id = (request.id * 2654435761) % 4294967296
      spread[request.id] = request
    end
    core.requests.sent = spread
    core:lost(errors.new("io", "closed"), 2, 0)
    for i, request in ipairs(core:outbox()) do
      assert.are.equal(tostring(i), request.params.text)
    end
  end)

  it("may end in another history: it is told, and read from its beginning", function()
    local core = online(nil, { seq = 40 })
    core:lost(errors.new("io", "closed"), 2, 0)
    support.login(core, 3, { epoch = 8, seq = 2 })
    local history = asked(core, "history", 3)
    assert.are.equal(0, history.params.after)
    feed(core, page(history.id, { entry(1), entry(2) }, { epoch = 8, head = 2 }), 3)
    assert.are.same({ "disconnected", "connected", "reset", "room", "message 1", "message 2" }, support.story(core))
  end)

  it("is not come back from after a logout, a replacement, or an error of the protocol", function()
    for _, bye in ipairs({ { 0, "logout" }, { 206, "replaced" }, { 100, "bad_frame" } }) do
      local core = online()
      feed(core, support.event("bye", { code = bye[1], name = bye[2], text = "x.", resume = false }))
      assert.is_nil(core:lost(errors.new("io", "closed"), 2, 0), bye[2])
    end
    local core = online()
    feed(core, support.event("bye", {
      code = 503, name = "going_away", text = "x.", resume = true, retry_after_ms = 3000,
    }))
    assert.are.equal(4.5, core:lost(errors.new("io", "closed"), 2, 0.5))
  end)

  it("waits as the server says after each of its restarts, and longer after each failure", function()
    local core = online()
    local function again()
      local wait = core:lost(errors.new("io", "closed"), 2, 0)
      support.login(core, 2)
      return wait
    end
    for _ = 1, 3 do
      feed(core, support.event("bye", {
        code = 503, name = "going_away", text = "x.", resume = true, retry_after_ms = 500,
      }))
      assert.are.equal(0.5, again())
    end
    assert.are.equal(1, again())
    assert.are.equal(2, again())
  end)

  it("goes back to a room that the server did not keep", function()
    local core = online()
    assert(core:request("join", { room = "ops" }))
    feed(core, support.result(asked(core, "join").id, support.room({ room = "ops" })))
    assert(core:request("direct", { name = "bob" }))
    feed(core, support.result(asked(core, "direct").id,
      support.room({ room = "@0000000000000001", kind = "direct", with = "bob" })))
    core:lost(errors.new("io", "closed"), 2, 0)
    support.events(core)
    support.login(core, 3)
    local byname = {}
    for _, request in ipairs(support.requests(core:take(3))) do
      byname[request.method] = request
    end
    feed(core, support.result(byname.direct.id,
      support.room({ room = "@0000000000000002", kind = "direct", with = "bob" })), 3)
    feed(core, support.refusal(byname.join.id, 303, "not_found"), 3)
    assert.are.same({ "connected", "room", "room", "gone", "gone" }, support.story(core))
    assert.is_true(core:is_online())
  end)

  it("finds a room again that was renamed meanwhile, by its epoch", function()
    local core = online()
    assert(core:request("join", { room = "ops" }))
    feed(core, support.result(asked(core, "join").id, support.room({ room = "ops", epoch = 9, seq = 4 })))
    assert(core:request("say", { room = "ops", text = "still to be said" }))
    core:take(1)
    core:lost(errors.new("io", "closed"), 2, 0)
    support.events(core)
    core.is_account = true
    assert(core:opened(3))
    feed(core, support.result(asked(core, "hello", 3).id, {
      version = 1, server = "s", durability = "durable", capabilities = support.list({}),
      limits = support.limits, time = 1800000000000, guests = false, registration = "open",
    }), 3)
    feed(core, support.result(asked(core, "login", 3).id, {
      name = "ann", guest = false, admin = false, token = support.bin(("t"):rep(32)), hold_ms = 0,
      rooms = support.list({ "lobby", "attic" }),
    }), 3)
    feed(core, support.event("room", support.room()), 3)
    feed(core, support.event("room", support.room({ room = "attic", epoch = 9, seq = 5 })), 3)
    assert.are.same({ "connected", "room", "renamed", "room" }, support.story(core))
    local requests = {}
    for _, request in ipairs(support.requests(core:take(3))) do
      requests[request.method] = request.params
    end
    assert.are.same({ "attic", 4, "attic" }, { requests.history.room, requests.history.after, requests.say.room })
    assert.is_nil(core.rooms.ops)
  end)

  it("can be gone on from in another run of the program", function()
    local core = online()
    feed(core, support.message(1))
    local positions, token = core:positions(), core.token
    core = support.core({ positions = positions, token = token })
    support.login(core, 0, { seq = 2 })
    assert.are.equal(1, asked(core, "history").params.after)
  end)
end)
