-- What the specs of the core say to it, and how they look at what it asks.
local support = require("spec.support")

local conversation = {}

function conversation.feed(core, bytes, now)
  return assert(core:receive(bytes, now or 1))
end

-- The last request of this method that the core writes now.
function conversation.asked(core, method, now)
  for _, request in ipairs(support.requests(core:take(now or 1))) do
    if request.method == method then
      return request
    end
  end
end

function conversation.online(options, state)
  local core = support.core(options)
  support.login(core, 0, state)
  support.events(core)
  return core
end

function conversation.page(id, entries, more)
  local result = { epoch = 7, entries = support.list(entries), first = 1, head = 0, more = false }
  for key, value in pairs(more or {}) do
    result[key] = value
  end
  return support.result(id, result)
end

function conversation.entry(seq, more)
  local all = { seq = seq, time = 1, kind = "message", from = "bob", text = "text " .. seq }
  for key, value in pairs(more or {}) do
    all[key] = value
  end
  return all
end

return conversation
