--- The client between the core and a program: what handlers are told, and when.
local Client = require("klatch.client")

describe("a client", function()
  local client, told

  before_each(function()
    client = assert(Client.new({
      plain = true,
      name = "ann",
      gettime = function()
        return 0
      end,
    }))
    client.connect_at, told = nil, {}
    client:on("message", function(event)
      table.insert(told, event.text)
    end)
  end)

  it("keeps what comes before a program can have handlers", function()
    client.is_opening = true
    client.core:push({ type = "message", text = "early" })
    client:step()
    assert.are.same({}, told)
    client.is_opening = false
    client:step()
    assert.are.same({ "early" }, told)
  end)
end)
