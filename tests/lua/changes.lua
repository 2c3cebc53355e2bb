-- A client for the tests: says, answers, edits, deletes, reacts, searches and reads back in a room of
-- its own, and prints what the room holds by its timeline, which must be what the server's history is.
--   changes.lua SERVER FINGERPRINT NAME
local server, fingerprint, name = (unpack or table.unpack)(arg)
local klatch = require("klatch")
local Timeline = require("klatch.timeline")

local client = assert(klatch.connect({ server = server, name = name, fingerprint = fingerprint }))
local room = name .. "-room"
local timeline = Timeline.new()
local newest = 0
client:on("*", function(event)
  timeline:take(event)
  newest = event.room == room and event.seq and math.max(newest, event.seq) or newest
end)

local function call(method, params)
  params.room = params.room or method ~= "search" and room or nil
  return assert(client:call(method, params))
end

local function collect(method, params, most)
  params.room = method ~= "search" and room or nil
  local found
  assert(client:collect(method, params, function(all, error)
    found = assert(all, tostring(error))
  end, most))
  client:run(function()
    return found
  end)
  return found
end

local function tell(message)
  local reactions = {}
  for i, reaction in ipairs(message.reactions or {}) do
    reactions[i] = ("%s:%d:%s"):format(reaction.text, reaction.count, table.concat(reaction.names, "+"))
  end
  return table.concat({
    message.seq, message.text, message.re or "-", message.edited and "edited" or "-",
    message.deleted and "deleted" or "-", table.concat(reactions, ","),
  }, "|")
end

call("create", {})
local first = call("say", { text = "first light" })
local second = call("say", { text = "second thought", re = first.seq })
local third = call("say", { text = "third time" })
for i = 4, 12 do
  call("say", { text = "filler " .. i })
end
call("edit", { seq = second.seq, text = "second draft" })
call("react", { seq = first.seq, reaction = "+1", on = true })
call("react", { seq = first.seq, reaction = "no", on = true })
local last = call("react", { seq = first.seq, reaction = "no", on = false })
last = call("delete", { seq = third.seq }) or last
-- The same again, by the same key, changes nothing.
local key = ("k"):rep(16)
local once = call("edit", { seq = first.seq, text = "first words", key = key })
local again = call("edit", { seq = first.seq, text = "first words", key = key })
assert(once.seq == again.seq and again.dup and not once.dup)
assert(not client:call("edit", { room = room, seq = third.seq, text = "back" }), "it is deleted")
client:run(function()
  return newest >= once.seq
end)

local around = call("history", { around = second.seq, limit = 3 }).entries
assert(#around == 3 and around[1].seq < second.seq and around[3].seq >= second.seq)
local since = call("history", { at = first.time, limit = 2 }).entries
assert(#since == 2 and since[1].seq == first.seq)
assert(#call("history", { at = last.time + 3600000 }).entries == 0)
local all = collect("history", { limit = 5 })
assert(#all == once.seq, #all .. " entries of " .. once.seq)
for i, entry in ipairs(all) do
  assert(entry.seq == i, "in order")
  if entry.kind == "message" then
    print("server|" .. tell(entry))
    print("client|" .. tell(timeline:message(room, entry.seq)))
  end
end
-- Two fit a page of two: there is another one, which may be empty.
for words, count in pairs({ filler = 9, ["draft second"] = 1, thought = 0, third = 0, ["light"] = 0, ["rst wor"] = 1 }) do
  local hits = collect("search", { text = words, limit = 2 })
  local own = 0
  for _, hit in ipairs(hits) do
    own = own + (hit.room == room and 1 or 0)
  end
  assert(own == count, ("%s: %d found"):format(words, own))
end
assert(#collect("search", { text = "filler", limit = 2 }, 5) == 5)
client:logout()
assert(client:run())
print("done")
