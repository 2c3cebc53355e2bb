--- Runs a client in a libuv loop: luv, or Neovim's `vim.uv`. libuv waits, LuaSocket and LuaSec speak.
--
--     local uv = require("luv")
--     local client = require("klatch").client({ name = "bot" })
--     require("klatch.luv").attach(client, uv)
--     uv.run()
-- @module klatch.luv

local adapter = {}

--- Lets the loop of `uv` run the client.
-- @return function that detaches it
function adapter.attach(client, uv)
  uv = uv or require("luv")
  local timer, poll, polled, events = uv.new_timer(), nil, nil, nil
  local turn

  local function forget_socket()
    if poll then
      poll:stop()
      poll:close()
      poll, polled, events = nil, nil, nil
    end
  end

  local function detach()
    forget_socket()
    if timer then
      timer:stop()
      timer:close()
      timer = nil
    end
  end

  local function arm()
    local link, reads, writes, seconds = client:wants()
    local wanted = (reads and "r" or "") .. (writes and "w" or "")
    -- By the object and not by its descriptor: a new socket may have the number of an old one.
    if link ~= polled then
      forget_socket()
      if link then
        poll, polled = uv.new_poll(link:getfd()), link
      end
    end
    if poll and wanted ~= events then
      events = wanted
      if wanted == "" then
        poll:stop()
      else
        poll:start(wanted, turn)
      end
    end
    timer:stop()
    if seconds then
      timer:start(math.ceil(seconds * 1000), 0, turn)
    end
  end

  function turn()
    if not timer then
      return
    end
    if client:step() then
      arm()
    else
      detach()
    end
  end

  timer:start(0, 0, turn)
  function client.wake()
    if timer then
      timer:start(0, 0, turn)
    end
  end
  return detach
end

return adapter
