-- A bot that says again what it is told: lua examples/echo.lua HOST[:PORT] ROOM
-- It answers texts that begin with its name, `echo: hello`, and whatever is said to it directly.
local here = arg[0]:match("^(.*)/") or "."
package.path = here .. "/../?.lua;" .. here .. "/../?/init.lua;" .. package.path
local klatch = require("klatch")

local client = assert(klatch.connect({
  server = arg[1],
  name = "echo",
  rooms = { arg[2] },
  on_unknown_server = function(unknown)
    io.stderr:write("trusting ", unknown.server, ", ", unknown.fingerprint, "\n")
    return true
  end,
}))

client:on("message", function(message)
  local is_direct = client:room(message.room).with ~= nil
  local said = is_direct and message.text or message.text:match("^echo:%s*(.+)$")
  if said and message.from ~= client:name() then
    client:say(message.room, said)
  end
end)

assert(client:run())
