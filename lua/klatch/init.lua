--- Klatch for Lua: a client of the chat daemon klatchd, for Lua 5.1, 5.3, 5.4 and LuaJIT.
--
--     local klatch = require("klatch")
--     local client = assert(klatch.connect({ server = "chat.example", name = "bot", rooms = { "ops" } }))
--     client:on("message", function(message) print(message.from, klatch.text.one_line(message.text)) end)
--     client:say("ops", "hello")
--     assert(client:run())
--
-- The parts can be taken alone: `klatch.core` needs no socket, no clock and no system.
-- @module klatch

local klatch = {
  protocol = require("klatch.protocol"),
  text = require("klatch.text"),
  errors = require("klatch.errors"),
}

local function adapter()
  return require("klatch.socket")
end

--- See `klatch.socket.client`.
function klatch.client(options)
  return adapter().client(options)
end

--- See `klatch.socket.connect`.
function klatch.connect(options)
  return adapter().connect(options)
end

return klatch
