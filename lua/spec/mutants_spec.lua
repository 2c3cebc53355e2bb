-- Mutated frames from a server: whatever comes, the core goes on or says what is wrong.
-- KLATCH_MUTANTS says how many; KLATCH_SEED begins elsewhere.
local codec = require("klatch.codec")
local errors = require("klatch.errors")
local Frames = require("klatch.frames")
local support = require("spec.support")

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

local function seeds()
  local all = {}
  for _, file in ipairs({ "events", "responses" }) do
    for _, vector in ipairs(support.vectors(file)) do
      local body = support.bytes(vector.bytes)
      if #body < 2000 then
        all[#all + 1] = body
      end
    end
  end
  return all
end

-- A core in the middle of a conversation: every method was asked, and waits for its answer.
local function busy_core()
  local core = support.core()
  support.login(core, 0)
  for i, name in ipairs({ "say", "members", "rooms", "topic", "history", "join", "leave", "direct" }) do
    core.ids = 6 + i - 1
    local params = { room = "lobby" }
    if name == "say" then
      params.text = "x"
    elseif name == "rooms" then
      params = {}
    elseif name == "direct" then
      params = { name = "bob" }
    end
    assert(core:request(name, params))
  end
  core:take(0)
  return core
end

describe("mutated frames", function()
  it(("(%d of them, from %d) are taken or refused, and never more than that"):format(MUTANTS, SEED), function()
    local bodies, taken, refused = seeds(), 0, 0
    local core, left = busy_core(), 0
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
        assert(type(event.type) == "string")
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

  it("are read alike by themselves", function()
    local bodies = seeds()
    for i = 1, MUTANTS do
      local body = mutate(bodies[1 + chance(#bodies)])
      local sound, message, why = pcall(codec.incoming, body)
      assert(sound, ("mutant %d: %s"):format(i, tostring(message)))
      assert(message or type(why) == "string")
    end
  end)
end)
