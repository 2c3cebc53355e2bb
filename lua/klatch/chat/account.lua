--- The commands of the chat program about one's account: its devices, its password, the way out.
-- @module klatch.chat.account

local format = require("klatch.chat.format")

local function seconds(milliseconds)
  return math.floor((tonumber(milliseconds) or 0) / 1000)
end

--- Adds them; see `klatch.chat.commands`.
return function(define, ask, tell)
  define("unread", "/unread", "tell in which rooms there is something to read", function(chat)
    local asked, why = chat.client:collect("unread", {}, tell(chat, function(rooms)
      for _, one in ipairs(rooms) do
        local named = one.mentions > 0 and (", %d for you"):format(one.mentions) or ""
        chat:note(("%s: %d to read%s"):format(format.room(chat.client, one.room), one.unread, named))
      end
      if #rooms == 0 then
        chat:note("there is nothing to read")
      end
    end))
    if not asked then
      chat:note(tostring(why))
    end
  end)

  for name, on in pairs({ block = true, unblock = false }) do
    local help = on and "have somebody write to you directly no more" or "let somebody write to you directly again"
    define(name, ("/%s NAME"):format(name), help, function(chat, argument)
      local who = argument:gsub("^@", "")
      ask(chat, "block", { name = who, on = on }, function()
        chat:note(who .. (on and " is blocked" or " is not blocked any more"))
      end)
    end, true)
  end

  define("blocks", "/blocks", "list whom you block", function(chat)
    local asked, why = chat.client:collect("blocks", {}, tell(chat, function(all)
      local names = {}
      for i, one in ipairs(all) do
        names[i] = one.name
      end
      chat:note(#names == 0 and "you block nobody" or table.concat(names, " "))
    end))
    if not asked then
      chat:note(tostring(why))
    end
  end)

  define("devices", "/devices", "list the devices of your account", function(chat)
    ask(chat, "devices", {}, function(result)
      for _, device in ipairs(result.devices) do
        local state = device.current and "this one" or device.online and "online"
          or os.date("last seen %Y-%m-%d %H:%M", seconds(device.seen))
        local name = device.device == "" and "(unnamed)" or device.device
        chat:note(("%s  %s, %s"):format(tostring(device.id), name, state))
      end
    end)
  end)

  define("revoke", "/revoke ID", "log out a device, by its number in /devices", function(chat, argument)
    local id = tonumber(argument)
    if not id then
      return chat:note("usage: /revoke ID")
    end
    ask(chat, "revoke", { device = id }, function()
      chat:note("it is logged out")
    end)
  end, true)

  define("passwd", "/passwd", "change your password; all other devices are logged out", function(chat)
    chat:secret("password now: ", function(old)
      chat:secret("new password: ", function(new)
        chat:secret("and again: ", function(again)
          if new ~= again then
            return chat:note("these are two passwords; nothing was changed")
          end
          ask(chat, "passwd", { old = old, new = new }, function()
            chat:note("the password is changed; all other devices are logged out")
          end)
        end)
      end)
    end)
  end)

  define("unregister", "/unregister", "delete your account for good; what you said stays", function(chat)
    chat:secret("password, to delete the account: ", function(password)
      ask(chat, "unregister", { password = password })
    end)
  end)

  define("logout", "/logout [all]", "log out for good, here or on all devices, and end", function(chat, argument)
    ask(chat, "logout", { all = argument == "all" or nil })
  end)
end
