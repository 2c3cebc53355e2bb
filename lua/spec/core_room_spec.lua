-- The core as a conversation: what a room tells, in order and nothing twice.
local conversation = require("spec.conversation")
local support = require("spec.support")

local feed = conversation.feed
local asked = conversation.asked
local online = conversation.online
local page = conversation.page
local entry = conversation.entry

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

  it("goes on under another name, also with what was to be said in it", function()
    local core = online()
    assert(core:request("say", { room = "lobby", text = "late" }))
    feed(core, support.message(2))
    assert.is_truthy(asked(core, "history"))
    feed(core, support.event("renamed", { room = "lobby", name = "attic", by = "bob" }))
    local later = asked(core, "history")
    assert.are.same({ "attic", 0 }, { later.params.room, later.params.after })
    feed(core, support.event("message", { room = "attic", seq = 3, time = 1, from = "bob", text = "x" }))
    feed(core, page(later.id, { entry(1), entry(2), entry(3) }, { head = 3 }))
    assert.are.same({ "renamed", "message 1", "message 2", "message 3" }, support.story(core))
    assert.are.equal("attic", core:outbox()[1].params.room)
    assert.are.same({ "attic", 7, 3 }, { (next(core.rooms)), core.rooms.attic.epoch, core:positions().attic.seq })
    assert.are.equal(1, core.room_count)
    -- A name that is taken already, or a room that is not known, changes nothing.
    feed(core, support.event("renamed", { room = "nowhere", name = "somewhere", by = "bob" }))
    assert.are.same({}, support.story(core))
  end)

  it("takes an entry of a kind that a later server has", function()
    local core = online()
    feed(core, support.message(2))
    feed(core, page(asked(core, "history").id, { entry(1, { kind = "poll", options = 3 }) }, { head = 2 }))
    local all = support.events(core)
    assert.are.equal("entry", all[1].type)
    assert.are.equal("poll", all[1].kind)
    assert.are.equal(3, all[1].options)
    assert.are.same({ true, 2 }, { all[1].from_history, all[1].head })
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
