#!/usr/bin/env lua
-- A chat program for a terminal or a pipe: `lua klatch.lua --help`.

-- The library stands beside this program, unless it is installed.
local here = arg[0]:match("^(.*)/bin/[^/]*$") or arg[0]:match("/") and "." or ".."
package.path = ("%s/?.lua;%s/?/init.lua;%s"):format(here, here, package.path)

local entrance = require("klatch.chat.entrance")
local keyboard = require("klatch.chat.keyboard")
local klatch = require("klatch")
local options_of = require("klatch.chat.options")

local USAGE, NO_CONNECTION, CERTIFICATE, NAME, INTERRUPTED = 64, 69, 76, 77, 130

local function complain(why)
  io.stderr:write("klatch.lua: ", klatch.text.lines(tostring(why)), "\n")
end

local function exit_code(error)
  if error.kind == "trust" then
    return CERTIFICATE
  elseif error.kind == "usage" or error.kind == "address" then
    return USAGE
  elseif error.class == 2 then
    return NAME
  end
  return NO_CONNECTION
end

-- Trust on first use: a person is asked, a script is told.
local function decide(unknown)
  local told = ("%s is not known (%s); its certificate is %s"):format(
    unknown.server, unknown.why, unknown.fingerprint)
  complain(told)
  if not keyboard.is_terminal() then
    return true
  end
  io.stderr:write("Compare it with what klatchd printed when it started. Trust it? [y/N] ")
  local answer = io.read("*l") or ""
  return answer:find("^%s*[yY]") ~= nil
end

local function main()
  local options, wrong = options_of.read(arg)
  if not options then
    complain(wrong)
    return USAGE
  elseif options.help then
    io.write(options_of.HELP)
    return 0
  end
  local lines = options.line or options.listen or not keyboard.is_terminal()
  local mode = require(lines and "klatch.chat.line" or "klatch.chat.terminal")
  local settings = { program = "klatch.lua", on_unknown_server = decide }
  local ended, result, client, why
  local former, name
  repeat
    client, why = entrance.connect(options, settings, complain)
    if not client and former then
      -- The other name is not to be had.
      complain(why)
      options.name = former
      client, why = entrance.connect(options, settings, complain)
    end
    if not client then
      complain(why)
      return exit_code(why)
    end
    ended, result, name = mode.run(client, options)
    entrance.leave(client, complain)
    former, options.name, options.register = client:name(), name, nil
  until not name
  if not ended then
    complain(result.text or result)
    return exit_code(result)
  end
  return result and 1 or 0
end

local sound, code = pcall(main)
if not sound then
  if not tostring(code):find("interrupted!", 1, true) then
    complain(code)
  end
  code = tostring(code):find("interrupted!", 1, true) and INTERRUPTED or 70
end
os.exit(code)
