-- Mutated frames from a server: whatever comes, the core goes on or says what is wrong.
-- KLATCH_MUTANTS says how many; KLATCH_SEED begins elsewhere.
local answers = require("klatch.answers")
local codec = require("klatch.codec")
local errors = require("klatch.errors")
local format = require("klatch.chat.format")
local Frames = require("klatch.frames")
local support = require("spec.support")
local Timeline = require("klatch.timeline")

local MUTANTS = tonumber(os.getenv("KLATCH_MUTANTS")) or 5000
local SEED = tonumber(os.getenv("KLATCH_SEED")) or 20240229

local seed = SEED
-- The same numbers on every interpreter (Lehmer), so that a failure can be repeated.
local function chance(most)
  seed = (seed * 16807) % 2147483647
  return seed % most
end

local mutations = {
  function(body, at) -- another byte
    return body:sub(1, at - 1) .. string.char(chance(256)) .. body:sub(at + 1)
  end,
  function(body, at) -- one bit
    local byte, bit = body:byte(at), 2 ^ chance(8)
    local flipped = byte % (bit * 2) >= bit and byte - bit or byte + bit
    return body:sub(1, at - 1) .. string.char(flipped) .. body:sub(at + 1)
  end,
  function(body, at) -- cut
    return body:sub(1, at - 1)
  end,
  function(body, at) -- left out
    return body:sub(1, at - 1) .. body:sub(at + 1 + chance(4))
  end,
  function(body, at) -- repeated
    return body:sub(1, at) .. body:sub(at, at + chance(16)):rep(1 + chance(3)) .. body:sub(at + 1)
  end,
  function(body, at) -- put in: heads that begin something, and numbers that lie
    local heads = "\192\193\196\199\207\211\216\217\220\221\222\223\129\145\159\143\255\127"
    local pick = 1 + chance(#heads)
    return body:sub(1, at - 1) .. heads:sub(pick, pick) .. body:sub(at)
  end,
}

local function mutate(body)
  for _ = 1, 1 + chance(3) do
    if #body == 0 then
      return body
    end
    body = mutations[1 + chance(#mutations)](body, 1 + chance(#body))
  end
  return body
end

-- What a core in the middle of a conversation has asked; every answer is still to come.
local ASKED = {
  { "say", { room = "lobby", text = "x" } },
  { "edit", { room = "lobby", seq = 1, text = "x" } },
  { "delete", { room = "lobby", seq = 1 } },
  { "react", { room = "lobby", seq = 1, reaction = "x", on = true } },
  { "history", { room = "lobby" } },
  { "search", { text = "xx" } },
  { "topic", { room = "lobby" } },
  { "members", { room = "lobby" } },
  { "rooms", {} },
  { "join", { room = "lobby" } },
  { "create", { room = "ops" } },
  { "leave", { room = "lobby" } },
  { "direct", { name = "bob" } },
  { "devices", {} },
  { "standings", { room = "lobby" } },
  { "typing", { room = "lobby", active = true } },
  { "kick", { room = "lobby", name = "bob" } },
}
local FIRST_ID = 7
local FRAME_HEADER = 4

-- Bodies of events and responses; a response is one to what was asked.
local function seeds()
  local ids, all = {}, {}
  for i, request in ipairs(ASKED) do
    ids[request[1]] = FIRST_ID + i - 1
  end
  for _, file in ipairs({ "events", "responses" }) do
    for _, vector in ipairs(support.vectors(file)) do
      local body = support.bytes(vector.bytes)
      local id = ids[vector.method]
      if id then
        -- In the vectors the id is the third byte.
        body = body:sub(1, 2) .. string.char(id) .. body:sub(4)
      end
      -- There are many refusals among the responses, all alike to a client.
      local is_rich = file == "events" or vector.method == "history"
      for _ = 1, #body < 2000 and (is_rich and 5 or 1) or 0 do
        all[#all + 1] = body
      end
    end
  end
  -- A server that lets through what no terminal must see.
  local evil = "\27]0;x\7 \194\155 \226\128\174"
  for _, name in ipairs({ "message", "edit", "react" }) do
    local frame = support.event(name, { room = "lobby", seq = 1, time = 1, from = evil, text = evil, re = 1 })
    for _ = 1, 5 do
      all[#all + 1] = frame:sub(FRAME_HEADER + 1)
    end
  end
  return all
end

local function busy_core()
  local core = support.core()
  support.login(core, 0)
  core.ids = FIRST_ID - 1
  for _, request in ipairs(ASKED) do
    assert(core:request(request[1], request[2]))
  end
  core:take(0)
  return core
end

-- What a program does with an event: keeps it, and prints it.
local function use(event, timeline, client)
  assert(type(event.type) == "string")
  local message = timeline:take(event)
  for _, line in ipairs({
    format.event(client, event) or "",
    message and format.message(client, message) or "",
    event.type == "message" and format.message(client, event, message) or "",
    format.note(event) or "",
  }) do
    assert(not line:find("%c"), "a control character would be printed")
  end
end

describe("mutated frames", function()
  it(("(%d of them, from %d) are taken or refused, and never more than that"):format(MUTANTS, SEED), function()
    local bodies, taken, refused = seeds(), 0, 0
    local core, left = busy_core(), 0
    local timeline = Timeline.new()
    local client = {
      room = function(_, name)
        local room = core.rooms[name]
        return room and room.state
      end,
    }
    for i = 1, MUTANTS do
      local before = seed
      local body = mutate(bodies[1 + chance(#bodies)])
      local frame = Frames.wrap(body)
      if chance(50) == 0 then
        frame = mutate(frame)
      end
      local sound, went, error = pcall(core.receive, core, frame, 1)
      assert(sound, ("mutant %d, seed %d: %s"):format(i, before, tostring(went)))
      for event in function()
        return core:next()
      end do
        local used, trouble = pcall(use, event, timeline, client)
        assert(used, ("mutant %d, seed %d: %s"):format(i, before, tostring(trouble)))
      end
      core:take(1)
      assert(core.frames.have <= 65540)
      left = left + 1
      if went then
        taken = taken + 1
      else
        assert(type(tostring(error)) == "string" and error.kind)
        core:lost(errors.new("io", "left"), 1, 0)
        refused = refused + 1
      end
      -- A new conversation is dear; what is left of an old one is as good a state as any.
      if not went or left > 50 then
        core, left = busy_core(), 0
      end
    end
    assert.is_true(taken > MUTANTS / 100 and refused > MUTANTS / 10, taken .. " " .. refused)
  end)

  it("are read alike by themselves, kept and shown", function()
    local bodies, timeline, shown = seeds(), Timeline.new(), 0
    local client = { room = function() end }
    local function method_of(id)
      local request = ASKED[id - FIRST_ID + 1]
      return request and request[1]
    end
    for i = 1, MUTANTS do
      local body = mutate(bodies[1 + chance(#bodies)])
      local sound, message, why = pcall(codec.incoming, body, method_of)
      assert(sound, ("mutant %d: %s"):format(i, tostring(message)))
      assert(message or type(why) == "string")
      local events = {}
      if message and message.kind == "event" and message.known then
        message.payload.type = message.name
        events[1] = message.payload
      elseif message and message.result and method_of(message.id) == "history" then
        for _, entry in ipairs(message.result.entries) do
          table.insert(events, answers.stored("lobby", entry, message.result.head))
        end
      end
      for _, event in ipairs(events) do
        local used, trouble = pcall(use, event, timeline, client)
        assert(used, ("mutant %d: %s"):format(i, tostring(trouble)))
        shown = shown + 1
      end
    end
    assert.is_true(shown > MUTANTS / 100, shown)
  end)
end)
