-- The core as a conversation: how it begins, what it asks, and a server that does not keep to the protocol.
local errors = require("klatch.errors")
local protocol = require("klatch.protocol")
local conversation = require("spec.conversation")
local support = require("spec.support")

local feed = conversation.feed
local asked = conversation.asked
local online = conversation.online

describe("a first connection", function()
  it("says hello, logs in, and is ready when the rooms are entered", function()
    local core = support.core({ program = "spec/1", rooms = { "ops" }, login = { timeout_ms = 500 } })
    local login, hello = support.login(core, 0)
    assert.are.equal("spec/1", hello.params.client)
    assert.are.same({ name = "ann", timeout_ms = 500 }, login.params)
    assert.are.same({ "connected", "room" }, support.story(core))
    local join = asked(core, "join")
    assert.are.equal("ops", join.params.room)
    feed(core, support.result(join.id, support.room({ room = "ops" })))
    assert.are.same({ "room", "ready" }, support.story(core))
    assert.is_true(core:is_online())
  end)

  it("that is refused is not repeated, and whoever asked is told", function()
    local core = support.core()
    local told
    assert(core:request("say", { room = "lobby", text = "x" }, function() end))
    core:opened(0)
    feed(core, support.result(asked(core, "hello").id, {
      version = 1, server = "s", durability = "memory",
      capabilities = support.list({}), limits = support.limits, time = 1800000000000,
      guests = true, registration = "open",
    }))
    local login = asked(core, "login")
    local went, error = core:receive(support.refusal(login.id, 212, "name_taken", { suggestion = "ann2" }), 1)
    assert.is_nil(went)
    assert.is_truthy(tostring(error):find('"ann2" would be accepted', 1, true))
    assert.is_nil(core:lost(error, 1, 0))
    for _, event in ipairs(support.events(core)) do
      told = told or event.type == "answer" and event.error.kind
    end
    assert.are.equal("ended", told)
    assert.is_true(core:has_ended())
    assert.is_nil((core:request("ping", {})))
  end)

  it("whose room does not exist says goodbye, or makes it if asked to", function()
    local core = support.core({ rooms = { "ops" } })
    support.login(core, 0)
    feed(core, support.refusal(asked(core, "join").id, 303, "not_found"))
    assert.is_truthy(asked(core, "quit"))
    assert.is_nil(core:lost(errors.new("io", "closed"), 1, 0))
    local all = support.events(core)
    assert.are.equal("ops: not_found", tostring(all[#all].error))

    core = support.core({ rooms = { "ops" }, create = true })
    support.login(core, 0)
    feed(core, support.refusal(asked(core, "join").id, 303, "not_found"))
    feed(core, support.result(asked(core, "create").id, support.room({ room = "ops" })))
    assert.is_true(core:is_online())
  end)

  it("of a patient client is tried again", function()
    local core = support.core({ patient = true })
    assert.are.equal(0.25, core:lost(errors.new("io", "refused"), 0, 0))
    assert.are.equal(0.5, core:lost(errors.new("io", "refused"), 0, 0))
    assert.is_nil(core:lost(errors.new("trust", "changed"), 0, 0))
  end)
end)

describe("requests", function()
  it("are methods of the table, with the parameters that it declares", function()
    local core = online()
    for _, method in ipairs(protocol.methods) do
      local request, error = core:request(method.name, { nonsense = 1 })
      assert.is_nil(request)
      assert.are.equal("usage", error.kind)
    end
    local _, error = core:request("say", { room = "lobby" })
    assert.are.equal("say.text is missing", tostring(error))
    _, error = core:request("typing", { room = "lobby", active = 1 })
    assert.are.equal("typing.active is not bool", tostring(error))
    _, error = core:request("say", { room = "lobby", text = "\255" })
    assert.is_truthy(tostring(error):find("^say.text is not str"))
    _, error = core:request("say", { room = "lobby", text = ("x"):rep(70000) })
    assert.are.equal("say is longer than a frame may be", tostring(error))
    assert.are.equal("there is no method nonsense", tostring(select(2, core:request("nonsense", {}))))
    assert.are.equal("", core:take(1))
  end)

  it("get their own answers, in any order", function()
    local core = online()
    local got = {}
    for i = 1, 3 do
      assert(core:request("ping", {}, function() return i end))
    end
    local sent = support.requests(core:take(1))
    feed(core, support.result(sent[3].id, { time = 3 }))
    feed(core, support.refusal(sent[1].id, 404, "busy"))
    for _, event in ipairs(support.events(core)) do
      got[#got + 1] = { event.request.callback(), event.result and event.result.time, event.error and event.error.code }
    end
    assert.are.same({ { 3, 3 }, { 1, nil, 404 } }, got)
  end)

  it("never are more than the server takes, and leave room for an answer to ping", function()
    local core = support.core()
    local limits = {}
    for name, value in pairs(support.limits) do
      limits[name] = value
    end
    limits.inflight, limits.requests_per_s, limits.requests_burst = 5, 10, 6
    support.login(core, 0, nil, limits)
    for _ = 1, 9 do
      assert(core:request("say", { room = "lobby", text = "x" }))
    end
    -- Hello and login were not counted; the limits came with the answer to hello.
    local sent = support.requests(core:take(0))
    assert.are.equal(3, #sent)
    feed(core, support.event("ping", {}), 0)
    assert.is_truthy(asked(core, "ping", 0))
    for _, request in ipairs(sent) do
      feed(core, support.result(request.id, { seq = 1, time = 1, dup = false }), 0)
    end
    assert.are.equal(1, #support.requests(core:take(0)))
    assert.is_true(core:deadline() > 0 and core:deadline() < 0.2, core:deadline())
    assert.are.equal(1, #support.requests(core:take(0.11)))
  end)

  it("have keys that begin with the server's time, or with chance before it is known", function()
    local core = support.core()
    local early = assert(core:request("say", { room = "lobby", text = "x" })).key
    support.login(core, 5)
    feed(core, support.message(1), 7.25)
    local key = assert(core:request("say", { room = "lobby", text = "x" })).key
    -- 1800000002250 milliseconds: the time of hello and what went by since.
    assert.are.equal("\1\163\24\92\88\202", key:sub(1, 6))
    assert.are.equal(16, #key)
    assert.are.equal(7, math.floor(key:byte(7) / 16))
    assert.are.equal(2, math.floor(key:byte(9) / 64))
    assert.are.equal(4, math.floor(early:byte(7) / 16))
    local own = ("k"):rep(16)
    assert.are.equal(own, assert(core:request("say", { room = "lobby", text = "x", key = own })).key)
  end)

  it("are bounded in number", function()
    local core = support.core()
    for _ = 1, 1024 do
      assert(core:request("say", { room = "lobby", text = "x" }))
    end
    local _, error = core:request("say", { room = "lobby", text = "x" })
    assert.are.equal("full", error.kind)
  end)

  it("with a key are asked again when the server could not do them, with the same key", function()
    local core = online()
    assert(core:request("say", { room = "lobby", text = "x" }))
    local first = asked(core, "say")
    feed(core, support.refusal(first.id, 404, "busy", { retry_after_ms = 2000 }), 1)
    assert.are.same({}, support.events(core))
    assert.is_nil(asked(core, "say", 2.9))
    local second = asked(core, "say", 3.1)
    assert.are.equal(first.params.key, second.params.key)
    -- What cannot be helped is told at once.
    feed(core, support.refusal(second.id, 301, "not_member"), 3.2)
    assert.are.equal("not_member", support.events(core)[1].error.name)
  end)
end)

describe("a silent or faulty server", function()
  it("is asked, and given up", function()
    local core = online()
    assert.is_true(core:timer(30))
    assert.is_nil(asked(core, "ping", 30))
    assert.is_true(core:timer(31))
    assert.is_truthy(asked(core, "ping", 31))
    assert.are.equal(75, core:deadline())
    local went, error = core:timer(76)
    assert.is_nil(went)
    assert.are.equal("silent", error.kind)
  end)

  it("that does not answer hello is given up too", function()
    local core = support.core()
    core:opened(0)
    assert.is_nil((core:timer(10)))
  end)

  it("that does not keep to the protocol is left", function()
    for _, bytes in ipairs({
      "HTTP/1.1 400 Bad Request\r\n",
      "\0\0\0\0",
      "\0\0\0\1\193",
      support.result(99, {}),
      support.event("message", { room = "lobby" }),
      support.message("1"),
      support.event("room", support.room({ seq = "x" })),
    }) do
      local core = online()
      local went, error = core:receive(bytes, 1)
      assert.is_nil(went, bytes)
      assert.are.equal("protocol", error.kind)
    end
  end)

  it("cannot give a result beside an error", function()
    local core = online()
    assert(core:request("ping", {}))
    local id = asked(core, "ping").id
    local refusal = support.refusal(id, 404, "busy")
    local both = "\0\0\0" .. string.char(#refusal - 4) .. refusal:sub(5, -2) .. "\128"
    local went, error = core:receive(both, 1)
    assert.is_nil(went)
    assert.is_truthy(tostring(error):find("not beside one"))
  end)

  it("cannot put us into a room at a seq that no number holds", function()
    local core = online()
    local bytes = support.event("room", support.room({ room = "x" }))
    local body = bytes:sub(5):gsub("\163seq%z", "\163seq\207\255\255\255\255\255\255\255\255")
    local went, error = core:receive("\0\0\0" .. string.char(#body) .. body, 1)
    assert.is_nil(went)
    assert.is_truthy(tostring(error):find("no place in a room"))
  end)

  it("cannot name a seq that no number holds", function()
    local core = online()
    local bytes = support.message(1):gsub("\163seq\1", "\163seq\207\255\255\255\255\255\255\255\255")
    bytes = "\0\0\0" .. string.char(#bytes - 4) .. bytes:sub(5)
    local went, error = core:receive(bytes, 1)
    assert.is_nil(went)
    assert.is_truthy(tostring(error):find("no place in a room"))
  end)
end)
