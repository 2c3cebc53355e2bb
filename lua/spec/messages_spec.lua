-- Messages that change: what stands in a room now, histories and searches page by page, and the
-- commands of the chat program about them.
local commands = require("klatch.chat.commands")
local format = require("klatch.chat.format")
local pages = require("klatch.pages")
local Timeline = require("klatch.timeline")

local function message(seq, more)
  local event = { type = "message", room = "lobby", seq = seq, time = seq * 1000, from = "bob", text = "text " .. seq }
  for key, value in pairs(more or {}) do
    event[key] = value
  end
  return event
end

local function change(type, seq, re, text, from)
  return { type = type, room = "lobby", seq = seq, time = seq * 1000, from = from or "eve", re = re, text = text }
end

describe("a timeline", function()
  local timeline

  before_each(function()
    timeline = Timeline.new()
    for seq = 1, 3 do
      timeline:take(message(seq))
    end
  end)

  it("shows messages as they are now", function()
    timeline:take(change("react", 4, 2, "+1"))
    timeline:take(change("react", 5, 2, "+1", "ann"))
    timeline:take(change("react", 6, 2, "no", "ann"))
    timeline:take(change("unreact", 7, 2, "no", "ann"))
    timeline:take(change("unreact", 8, 2, "never", "ann"))
    local edited = timeline:take(change("edit", 9, 2, "better", "bob"))
    assert.are.equal(edited, timeline:message("lobby", 2))
    assert.are.same({ "better", 9000 }, { edited.text, edited.edited })
    assert.are.same({ { text = "+1", count = 2, names = { "eve", "ann" } } }, edited.reactions)
    local deleted = timeline:take(change("delete", 10, 2))
    assert.are.same({ "", 10000, {} }, { deleted.text, deleted.deleted, deleted.reactions })
    assert.is_nil(timeline:take(change("edit", 11, 77, "x")))
    assert.are.equal("text 1", timeline:message("lobby", 1).text)
  end)

  it("takes from a page what the page has not", function()
    local reactions = { { text = "+1", count = 1, names = { "eve" } } }
    -- As it was at the head 6: the reaction of 5 is in it, the one of 7 is not.
    timeline:take(message(2, { text = "old", head = 6, reactions = reactions }))
    timeline:take(change("react", 5, 2, "+1"))
    timeline:take(change("react", 7, 2, "+1", "ann"))
    timeline:take(change("react", 7, 2, "+1", "ann"))
    local now = timeline:message("lobby", 2)
    assert.are.same({ "old", { { text = "+1", count = 2, names = { "eve", "ann" } } } }, { now.text, now.reactions })
    assert.are.equal(1, reactions[1].count)
    -- An older page has no say.
    timeline:take(message(2, { text = "older", head = 4 }))
    assert.are.equal("old", timeline:message("lobby", 2).text)
  end)

  it("counts back, and forgets what is old or gone", function()
    timeline:take(message(4, { from = "ann" }))
    timeline:take(change("delete", 5, 3))
    assert.are.equal(4, timeline:newest("lobby", 0).seq)
    assert.are.equal(2, timeline:newest("lobby", 1).seq)
    assert.are.equal(4, timeline:newest("lobby", 0, "ann").seq)
    assert.is_nil(timeline:newest("lobby", 1, "ann"))
    assert.is_nil(timeline:newest("ops", 0))
    timeline:take({ type = "renamed", room = "lobby", name = "attic" })
    assert.is_nil(timeline:newest("lobby", 0))
    assert.are.same({ 4, "attic" }, { timeline:newest("attic", 0).seq, timeline:newest("attic", 0).room })
    timeline:take({ type = "reset", room = "attic", epoch = 9 })
    assert.is_nil(timeline:newest("attic", 0))
    local short = Timeline.new(2)
    for seq = 3, 1, -1 do
      short:take(message(seq))
    end
    assert.is_nil(short:message("lobby", 1))
    assert.are.equal(3, short:newest("lobby", 0).seq)
  end)

  it("takes nothing that has no place", function()
    local far = "18446744073709551615"
    assert.is_nil(timeline:take(message(far)))
    assert.is_nil(timeline:take(message(9, { head = far })))
    assert.is_nil(timeline:take(change("edit", 9, far, "x")))
    assert.is_nil(timeline:message("lobby", far))
    assert.are.equal(3, timeline:newest("lobby", 0).seq)
  end)

  it("keeps reactions within the protocol's bounds", function()
    for i = 1, 40 do
      timeline:take(change("react", 3 + i, 2, "kind " .. i))
    end
    for i = 1, 40 do
      timeline:take(change("react", 43 + i, 2, "kind 1", "user " .. i))
    end
    local now = timeline:message("lobby", 2)
    assert.are.same({ 32, 41, 10 }, { #now.reactions, now.reactions[1].count, #now.reactions[1].names })
  end)
end)

-- A client whose server has the entries 3 to 9, or so many hits, on pages of two.
local function paged()
  local asked = {}
  local function slice(from, to)
    local entries = {}
    for seq = math.max(from, 3), math.min(to, 9) do
      entries[#entries + 1] = { seq = seq }
    end
    return entries
  end
  return {
    asked = asked,
    request = function(_, method, params, callback)
      asked[#asked + 1] = params
      if method == "search" then
        local from = params.before or 9
        local hits = { { n = from }, { n = from - 1 } }
        callback({ hits = from == 7 and {} or hits, next = from > 5 and from - 2 or nil })
        return true
      end
      local after = params.after or params.at or (params.around and params.around - 2)
      local before = params.before or 10
      local entries = after and slice(after + 1, after + 2) or slice(before - 2, before - 1)
      local edge = after and entries[#entries] or entries[1]
      callback({ entries = entries, more = edge ~= nil and edge.seq ~= (after and 9 or 3), first = 3, head = 9 })
      return true
    end,
  }
end

describe("pages", function()
  local function seqs(params, most)
    local found
    local client = paged()
    params.room = "lobby"
    pages.collect(client, "history", params, function(all)
      found = {}
      for i, entry in ipairs(all) do
        found[i] = entry.seq
      end
    end, most)
    return found, client.asked
  end

  it("of a history are read either way, and given in order", function()
    assert.are.same({ 3, 4, 5, 6, 7, 8, 9 }, (seqs({})))
    assert.are.same({ 3, 4, 5 }, (seqs({ before = 6 })))
    assert.are.same({ 6, 7, 8, 9 }, (seqs({ after = 5 })))
    assert.are.same({ 7, 8, 9 }, (seqs({}, 3)))
    assert.are.same({ 6, 7, 8 }, (seqs({ after = 5 }, 3)))
    local all, asked = seqs({ around = 6 })
    assert.are.same({ 5, 6, 7, 8, 9 }, all)
    assert.are.same({ { room = "lobby", around = 6 }, { room = "lobby", after = 6 } }, { asked[1], asked[2] })
    all, asked = seqs({ at = 4 })
    assert.are.same({ 5, 6, 7, 8, 9 }, all)
    assert.is_nil(asked[2].at)
  end)

  it("of a search go on behind an empty one", function()
    local found
    assert.is_true(pages.collect(paged(), "search", { text = "x" }, function(all)
      found = all
    end))
    assert.are.same({ { n = 9 }, { n = 8 }, { n = 5 }, { n = 4 } }, found)
  end)

  it("end with an error, and not at all for what has none", function()
    local why
    local client = { request = function(_, _, _, callback)
      callback(nil, "no")
      return true
    end }
    pages.collect(client, "rooms", {}, function(_, error)
      why = error
    end)
    assert.are.equal("no", why)
    local asked, wrong = pages.collect(client, "ping", {}, function() end)
    assert.is_nil(asked)
    assert.are.equal("usage", wrong.kind)
    local same = { request = function(_, _, _, callback)
      callback({ rooms = { { room = "a" } }, more = true })
      return true
    end }
    pages.collect(same, "rooms", {}, function(_, error)
      why = error
    end)
    assert.are.equal("protocol", why.kind)
  end)
end)

describe("a command about a message", function()
  local function run(line, answer)
    local told = { asked = {}, notes = {}, said = {}, shown = {} }
    local timeline = Timeline.new()
    for seq = 1, 6 do
      timeline:take(message(seq, { from = seq % 2 == 0 and "ann" or "bob" }))
    end
    local client = {
      name = function()
        return "ann"
      end,
      room = function()
        return { first = 1 }
      end,
    }
    function client:request(method, params, callback)
      table.insert(told.asked, { method, params })
      callback(answer or {})
      return self ~= nil
    end
    function client:collect(method, params, callback, most)
      table.insert(told.asked, { method, params, most })
      callback(answer or {})
      return self ~= nil
    end
    commands.run({
      room = "lobby",
      timeline = timeline,
      client = client,
      note = function(_, text)
        table.insert(told.notes, text)
      end,
      say = function(_, room, text, re)
        table.insert(told.said, { room, text, re })
      end,
      show_stored = function(_, event, is_dated)
        table.insert(told.shown, { event.seq, event.room, is_dated })
      end,
    }, line)
    return told.asked[1] or told.said[1] or told.notes[1], told
  end

  it("finds it, and asks", function()
    local function at(hour, minute)
      return os.time({ year = 2026, month = 1, day = 31, hour = hour, min = minute, sec = 0 }) * 1000
    end
    for line, want in pairs({
      ["/reply yes, now"] = { "lobby", "yes, now", 6 },
      ["/re ^2 that one"] = { "lobby", "that one", 4 },
      ["/reply #3 and that"] = { "lobby", "and that", 3 },
      ["/edit better"] = { "edit", { room = "lobby", seq = 6, text = "better" } },
      ["/edit ^1 a b"] = { "edit", { room = "lobby", seq = 4, text = "a b" } },
      ["/delete"] = { "delete", { room = "lobby", seq = 6 } },
      ["/del ^2"] = { "delete", { room = "lobby", seq = 2 } },
      ["/delete #5"] = { "delete", { room = "lobby", seq = 5 } },
      ["/react +1"] = { "react", { room = "lobby", seq = 6, reaction = "+1", on = true } },
      ["/react ^1 -+1"] = { "react", { room = "lobby", seq = 5, reaction = "+1", on = false } },
      ["/react -"] = { "react", { room = "lobby", seq = 6, reaction = "-", on = true } },
      ["/search two words"] = { "search", { text = "two words", limit = 21 }, 21 },
      ["/history"] = { "history", { room = "lobby", limit = 20 }, 20 },
      ["/history 500"] = { "history", { room = "lobby", limit = 200 }, 500 },
      ["/history #4"] = { "history", { room = "lobby", around = 4, limit = 20 }, 20 },
      ["/history 2026-01-31"] = { "history", { room = "lobby", at = at(0, 0), limit = 20 }, 20 },
      ["/history 2026-1-31 18:30"] = { "history", { room = "lobby", at = at(18, 30), limit = 20 }, 20 },
      ["/edit ^9 x"] = "you said nothing here that is shown",
      ["/react ^9 x"] = "there is no message here",
      ["/edit"] = "usage: /edit [#SEQ|^N] TEXT",
      ["/edit ^2"] = "usage: /edit [#SEQ|^N] TEXT",
      ["/del that"] = "usage: /delete [#SEQ|^N]",
      ["/reply #3"] = "usage: /reply [#SEQ|^N] TEXT",
      ["/history yesterday"] = "usage: /history [N|#SEQ|DATE [TIME]]",
      ["/history 2026-01-31 noon"] = "usage: /history [N|#SEQ|DATE [TIME]]",
    }) do
      assert.are.same(want, (run(line)), line)
    end
  end)

  it("shows what was found, the newest last", function()
    local hits = {}
    for i = 1, 21 do
      hits[i] = { room = "ops", entry = { seq = 100 - i, kind = "message" } }
    end
    local _, told = run("/find x", hits)
    assert.are.same({ 80, "ops", true }, told.shown[1])
    assert.are.same({ 99, "ops", true }, told.shown[20])
    assert.are.same({ "20 messages, the newest of more" }, told.notes)
    _, told = run("/find x", {})
    assert.are.same({ "nothing found" }, told.notes)
    _, told = run("/history 2", { { seq = 4, kind = "message" }, { seq = 5, kind = "topic" } })
    assert.are.same({ { 4, "lobby", false }, { 5, "lobby", false } }, told.shown)
    assert.are.same({ "there is more before it: /history #4" }, told.notes)
  end)
end)

describe("a message on the screen", function()
  local client = { room = function() end }

  local function shown(more, answered)
    return (format.message(client, message(7, more), answered):gsub("^%S+ ", ""))
  end

  it("tells what became of it", function()
    local long = message(5, { text = ("x"):rep(30) .. "\nsecond" })
    local gone = message(5, { deleted = 1, text = "" })
    assert.are.equal("#lobby #7 <bob> text 7", shown())
    assert.are.equal("#lobby #7 <bob> ↪ bob: text 5 │ text 7", shown({ re = 5 }, message(5)))
    assert.are.equal("#lobby #7 <bob> ↪ bob: " .. ("x"):rep(24) .. "… │ text 7", shown({ re = 5 }, long))
    assert.are.equal("#lobby #7 <bob> ↪ #5 │ text 7", shown({ re = 5 }, gone))
    assert.are.equal("#lobby #7 <bob> ↪ #5 │ text 7", shown({ re = 5 }))
    assert.are.equal("#lobby #7 <bob> (deleted)", shown({ deleted = 1, edited = 1, text = "" }))
    local reactions = { { text = "+1", count = 2, names = {} }, { text = "no\27", count = 1, names = {} } }
    assert.are.equal("#lobby #7 <bob> text 7 (edited) [+1 2] [no␛ 1]", shown({ edited = 1, reactions = reactions }))
    local dated = os.date("%Y-%m-%d %H:%M:%S", 7) .. " #lobby #7 <bob> text 7"
    assert.are.equal(dated, format.message(client, message(7), nil, true))
  end)

  it("is told of in the words of the program in Rust", function()
    for want, event in pairs({
      ["* eve edited #5: better"] = change("edit", 8, 5, "better"),
      ["* eve deleted #5"] = change("delete", 8, 5),
      ["* eve reacted to #5: +1"] = change("react", 8, 5, "+1"),
      ["* eve took back from #5: +1"] = change("unreact", 8, 5, "+1"),
    }) do
      assert.are.equal("#lobby " .. want, (format.event(client, event):gsub("^%S+ ", "")))
    end
  end)
end)
