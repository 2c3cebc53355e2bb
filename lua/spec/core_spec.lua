-- The core as a conversation: what it asks, what it tells, and what it does when connections end.
local errors = require("klatch.errors")
local protocol = require("klatch.protocol")
local support = require("spec.support")

local function feed(core, bytes, now)
  return assert(core:receive(bytes, now or 1))
end

-- The last request of this method that the core writes now.
local function asked(core, method, now)
  for _, request in ipairs(support.requests(core:take(now or 1))) do
    if request.method == method then
      return request
    end
  end
end

local function online(options, state)
  local core = support.core(options)
  support.login(core, 0, state)
  support.events(core)
  return core
end

local function page(id, entries, more)
  local result = { epoch = 7, entries = support.list(entries), first = 1, head = 0, more = false }
  for key, value in pairs(more or {}) do
    result[key] = value
  end
  return support.result(id, result)
end

local function entry(seq, more)
  local all = { seq = seq, time = 1, kind = "message", from = "bob", text = "text " .. seq }
  for key, value in pairs(more or {}) do
    all[key] = value
  end
  return all
end

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

  it("whose room does not exist logs out, or makes it if asked to", function()
    local core = support.core({ rooms = { "ops" } })
    support.login(core, 0)
    feed(core, support.refusal(asked(core, "join").id, 303, "not_found"))
    assert.is_truthy(asked(core, "logout"))
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

describe("a room", function()
  it("is told in order, nothing twice, whatever comes in between", function()
    local core = online()
    feed(core, support.message(1) .. support.message(2) .. support.message(2) .. support.message(1))
    feed(core, support.event("later", { room = "lobby", seq = 9 }))
    assert.are.same({ "message 1", "message 2", "unknown" }, support.story(core))
  end)

  it("fetches what is missing, and holds back what came too early", function()
    local core = online()
    feed(core, support.message(3) .. support.message(4))
    assert.are.same({}, support.story(core))
    local history = asked(core, "history")
    assert.are.equal(0, history.params.after)
    feed(core, page(history.id, { entry(1), entry(2, { kind = "topic" }), entry(3) }, { head = 4 }))
    assert.are.same({ "message 1", "topic 2", "message 3", "message 4" }, support.story(core))
    assert.is_nil(asked(core, "history"))
  end)

  it("tells a gap when the server has the entries no more", function()
    local core = online()
    feed(core, support.message(9))
    local history = asked(core, "history")
    feed(core, page(history.id, { entry(5), entry(6), entry(7), entry(8), entry(9) }, { first = 5, head = 9 }))
    assert.are.same(
      { "gap 1-4", "message 5", "message 6", "message 7", "message 8", "message 9" },
      support.story(core)
    )
  end)

  it("takes an entry of a kind that a later server has", function()
    local core = online()
    feed(core, support.message(2))
    feed(core, page(asked(core, "history").id, { entry(1, { kind = "poll", options = 3 }) }, { head = 2 }))
    local all = support.events(core)
    assert.are.equal("entry", all[1].type)
    assert.are.equal("poll", all[1].kind)
    assert.are.equal(3, all[1].options)
    assert.are.equal("message", all[2].type)
  end)

  it("cannot be made to tell of the connection by an entry's kind", function()
    for _, kind in ipairs({ "ended", "connected", "bye", "answer", "room", "joined" }) do
      local core = online()
      feed(core, support.message(2))
      feed(core, page(asked(core, "history").id, { entry(1, { kind = kind }), entry(2) }, { head = 2 }))
      assert.are.same({ "entry 1", "message 2" }, support.story(core))
    end
  end)

  it("is given up when a page is refused for good, and tried again when for a while", function()
    local core = online()
    feed(core, support.message(2))
    feed(core, support.refusal(asked(core, "history").id, 500, "unavailable"), 1)
    assert.is_nil(asked(core, "history", 1.5))
    assert.are.equal(2, core:deadline())
    core:timer(2)
    feed(core, support.refusal(asked(core, "history", 2).id, 301, "not_member"), 2)
    assert.are.same({ "gap 1-2" }, support.story(core))
  end)

  it("asks once when a server gives nothing, not for ever", function()
    local core = online()
    feed(core, support.message(3))
    feed(core, page(asked(core, "history").id, {}, { head = 3 }))
    assert.are.same({ "gap 1-2", "message 3" }, support.story(core))
    assert.is_nil(asked(core, "history"))
  end)

  it("passes over words and fields of a later server", function()
    local core = online()
    feed(core, support.event("left", {
      room = "lobby", count = 1, members = 1, mood = "sad",
      gone = support.list({ { name = "bob", reason = "abducted", by = "aliens" } }),
    }))
    local left = support.events(core)[1]
    assert.are.equal("abducted", left.gone[1].reason)
    assert.are.equal(1, core.rooms.lobby.state.members)
  end)

  it("that was left is not heard of any more", function()
    local core = online()
    assert(core:request("leave", { room = "lobby" }))
    feed(core, support.result(asked(core, "leave").id, {}))
    feed(core, support.message(1))
    local words = support.story(core)
    assert.are.same({ "gone", "answer" }, words)
  end)
end)

describe("a lost connection", function()
  it("is resumed: the token, the rooms, what was missed", function()
    local core = online()
    feed(core, support.message(1))
    support.events(core)
    assert(core:lost(errors.new("io", "closed"), 2, 0))
    local login = support.login(core, 3, { seq = 3 })
    assert.are.equal(("t"):rep(16), login.params.token)
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

  it("can be gone on from in another run of the program", function()
    local core = online()
    feed(core, support.message(1))
    local positions, token = core:positions(), core.token
    core = support.core({ positions = positions, token = token })
    support.login(core, 0, { seq = 2 })
    assert.are.equal(1, asked(core, "history").params.after)
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
