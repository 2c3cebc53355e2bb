-- A client for the tests: says COUNT texts in the lobby, a few at a time, and tells all that happens,
-- one thing a line. It begins when TALKERS are there, keeps the last texts until it has lost its
-- connection once, and ends when its texts are acknowledged and it was told everybody's last one.
--   talker.lua SERVER FINGERPRINT NAME COUNT TALKERS select|luv
local server, fingerprint, name, count, talkers, loop = (unpack or table.unpack)(arg)
count, talkers = tonumber(count), tonumber(talkers)
local klatch = require("klatch")

-- Texts that are unacknowledged at once.
local WINDOW = 5
-- Texts that are kept for the time after the lost connection.
local KEPT = 15

io.stdout:setvbuf("line")
local client = assert(klatch.client({ server = server, name = name, fingerprint = fingerprint, patient = true }))
local said, acked, waiting, seen, last_ones = 0, 0, 0, {}, 0
local begun, was_lost, leaving = false, false, false

local function tell(...)
  print(table.concat({ ... }, " "))
end

local function finish()
  if not leaving and acked == count and last_ones == talkers then
    leaving = true
    tell("done")
    client:logout()
  end
end

local function talk()
  begun = begun or (client:room("lobby") or { members = 0 }).members >= talkers
  local most = was_lost and count or count - KEPT
  while begun and said < most and waiting < WINDOW and client.core:is_online() do
    said, waiting = said + 1, waiting + 1
    local text = name .. "-" .. said
    tell("said", text)
    assert(client:say("lobby", text, function(result, error)
      waiting = waiting - 1
      if error then
        tell("refused", text, tostring(error))
      else
        acked = acked + 1
        tell("acked", text, result.seq, tostring(result.dup))
      end
      finish()
      talk()
    end))
  end
end

client:on("message", function(message)
  tell("saw", client.core.rooms.lobby.epoch, message.seq, message.text)
  if message.text:find("%-" .. count .. "$") and not seen[message.text] then
    seen[message.text] = true
    last_ones = last_ones + 1
  end
  finish()
end)
client:on("gap", function(gap)
  tell("gap", gap.from, gap.to)
end)
client:on("reset", function(reset)
  tell("reset", reset.epoch)
end)
client:on("connected", function()
  tell("connected")
end)
client:on("disconnected", function(event)
  was_lost = true
  tell("disconnected", tostring(event.error))
end)
client:on("ended", function(event)
  tell("ended", tostring(event.error))
end)
client:on("ready", talk)
client:every(0.02, talk)
-- A test that was killed cannot end it.
client:after(300, function()
  os.exit(1)
end)

if loop == "luv" then
  local uv = require("luv")
  require("klatch.luv").attach(client, uv)
  uv.run()
else
  client:run()
end
