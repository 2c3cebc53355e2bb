-- tests/vectors: bytes with their meaning, valid and hostile, by each MessagePack module.
local codec = require("klatch.codec")
local Frames = require("klatch.frames")
local msgpack = require("klatch.msgpack")
local scan = require("klatch.scan")
local support = require("spec.support")

local HEADER = 4
local PING = "\148\0\7\164ping\145"

local function suite()
  it("writes every request as the server reads it", function()
    local count = 0
    for _, vector in ipairs(support.vectors("requests")) do
      if vector.canonical then
        local frame = assert(codec.request(vector.id, vector.method, support.value(vector.params)))
        assert.is_true(frame:sub(HEADER + 1) == support.bytes(vector.bytes), vector.name)
        count = count + 1
      end
    end
    assert.is_true(count >= 20)
  end)

  it("reads every event, and knows one that it does not know", function()
    for _, vector in ipairs(support.vectors("events")) do
      local message = assert(codec.incoming(support.bytes(vector.bytes)))
      assert.are.equal("event", message.kind, vector.name)
      assert.are.equal(type(vector.event) == "string", message.known, vector.name)
      if message.known then
        assert.are.equal(vector.event, message.name)
        assert.are.same(support.value(vector.payload), message.payload, vector.name)
      end
    end
  end)

  it("reads every response", function()
    for _, vector in ipairs(support.vectors("responses")) do
      local message = assert(codec.incoming(support.bytes(vector.bytes), function()
        return vector.method
      end))
      assert.are.equal(vector.id, message.id)
      assert.are.same(support.value(vector.result), message.result, vector.name)
      assert.are.same(support.value(vector.error), message.error, vector.name)
    end
  end)

  it("refuses every hostile body", function()
    local malformed, sound = 0, 0
    for _, vector in ipairs(support.vectors("hostile")) do
      local body = support.bytes(vector.bytes)
      local outcome = vector.outcome
      -- As it stands no body is one that a server sends.
      assert.is_nil((codec.incoming(body)), vector.name)
      local scanned, why = scan.check(body)
      if type(outcome) == "table" and outcome.malformed then
        assert.are.equal(outcome.malformed == "too_deep", why == "too_deep", vector.name)
      else
        assert.is_truthy(scanned, vector.name)
      end
      -- The same inside the event `ping`: malformed stays malformed, all else is a field to ignore.
      if body:sub(1, #PING) == PING then
        local message = codec.incoming("\147\2\164ping\145" .. body:sub(#PING + 1))
        if outcome == "accepted" then
          assert.is_truthy(message, vector.name)
          sound = sound + 1
        elseif outcome.malformed then
          assert.is_nil(message, vector.name)
          malformed = malformed + 1
        end
      end
    end
    assert.is_true(malformed > 40 and sound > 5, malformed .. " " .. sound)
  end)

  it("refuses the same bodies where a result stands", function()
    -- A result stands one level higher than a parameter, so what is too deep there is not here.
    local count = 0
    for _, vector in ipairs(support.vectors("hostile")) do
      local body = support.bytes(vector.bytes)
      local outcome = vector.outcome
      local is_malformed = type(outcome) == "table" and outcome.malformed == "bad_frame"
      if is_malformed and body:sub(1, #PING) == PING then
        assert.is_nil((codec.incoming("\148\1\7\192" .. body:sub(#PING + 1))), vector.name)
        count = count + 1
      end
    end
    assert.is_true(count >= 40, count)
  end)
end

for _, name in ipairs({ "MessagePack", "mpack" }) do
  local has = msgpack.use(name)
  if has or name == "MessagePack" then
    describe("bodies by " .. name, function()
      setup(function()
        assert(msgpack.use(name), name .. " is missing: scripts/install-dependencies test")
      end)
      teardown(function()
        msgpack.use("MessagePack")
      end)
      suite()
    end)
  end
end

describe("frames", function()
  local function split(pieces, allowed)
    local frames, bodies = Frames.new(allowed), {}
    for _, piece in ipairs(pieces) do
      frames:push(piece)
      while true do
        local body, wrong = frames:next()
        if wrong then
          return bodies, wrong
        elseif not body then
          break
        end
        bodies[#bodies + 1] = body
      end
    end
    return bodies, frames:missing()
  end

  it("come out the same however the stream is cut", function()
    for _, vector in ipairs(support.vectors("frames")) do
      local stream, want = support.bytes(vector.bytes), {}
      for i, body in ipairs(vector.bodies) do
        want[i] = support.bytes(body)
      end
      local ending = vector["end"]
      local expected = ending == "whole" and 0 or ending.error or ending.missing
      for at = 0, #stream do
        if math.min(at, #stream - at) < 64 then
          local bodies, found = split({ stream:sub(1, at), stream:sub(at + 1) }, vector.allowed)
          assert.is_true(#bodies == #want, vector.name)
          for i = 1, #want do
            assert.is_true(bodies[i] == want[i], vector.name)
          end
          assert.are.equal(expected, found, vector.name .. " cut at " .. at)
        end
      end
    end
  end)

  it("are read in single bytes without copying what is there each time", function()
    local body = ("x"):rep(65536)
    local frames = Frames.new(65536)
    for byte in Frames.wrap(body):gmatch(".") do
      assert.is_nil((frames:next()))
      frames:push(byte)
    end
    assert.is_true(frames:next() == body)
  end)
end)
