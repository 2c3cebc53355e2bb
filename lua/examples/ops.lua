-- An operator's bot: posts each line of its input into a room, and answers `!uptime` and `!help`.
--   journalctl -fu klatchd | lua examples/ops.lua HOST[:PORT] ROOM
local here = arg[0]:match("^(.*)/") or "."
package.path = here .. "/../?.lua;" .. here .. "/../?/init.lua;" .. package.path
local klatch = require("klatch")
local keyboard = require("klatch.chat.keyboard")

local client = assert(klatch.connect({
  server = arg[1],
  name = "ops-bot",
  rooms = { arg[2] },
  create = true,
  on_unknown_server = function(unknown)
    io.stderr:write("trusting ", unknown.server, ", ", unknown.fingerprint, "\n")
    return true
  end,
}))

local answers = {
  ["!uptime"] = function() return io.popen("uptime"):read("*l") end,
  ["!help"] = function() return "!uptime: how long this machine runs, and its load" end,
}

client:on("message", function(message)
  local answer = message.from ~= client:name() and answers[message.text]
  if answer then
    client:say(message.room, answer())
  end
end)

client:watch(0, keyboard.lines(function(line)
  client:say(arg[2], klatch.text.outgoing(line))
end))

assert(client:run())
