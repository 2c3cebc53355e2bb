--- How the chat program comes in: by the token that it keeps, by a password, or as a guest.
-- The password is asked for on the terminal, unseen, or stands in the file that KLATCH_PASSWORD_FILE
-- names; it is never an argument, which everybody on the machine could read.
-- @module klatch.chat.entrance

local Client = require("klatch.client")
local errors = require("klatch.errors")
local keyboard = require("klatch.chat.keyboard")
local klatch = require("klatch")
local tokens = require("klatch.tokens")

local entrance = {}

-- Refusals after which a password may help.
local ASK = { name_registered = true, guests_denied = true, bad_credentials = true }

-- What the account's list of devices calls this one.
local function device()
  local pipe = io.popen("uname -n 2>/dev/null", "r")
  local host = pipe and pipe:read("*l") or ""
  if pipe then
    pipe:close()
  end
  return ("klatch.lua" .. (host:find("%S") and " on " .. host or "")):sub(1, 64)
end

-- The password from the file, or nil; an error if the file cannot be read.
local function from_file()
  local path = os.getenv("KLATCH_PASSWORD_FILE")
  if not path or path == "" then
    return nil
  end
  local file, why = io.open(path, "rb")
  if not file then
    return nil, errors.new("usage", "KLATCH_PASSWORD_FILE: " .. why)
  end
  local line = file:read("*l")
  file:close()
  if not line or line == "" then
    return nil, errors.new("usage", "KLATCH_PASSWORD_FILE: " .. path .. " has no first line")
  end
  return (line:gsub("\r$", ""))
end

-- The password for a new account, typed twice.
local function chosen(name)
  local first = keyboard.secret(("password for the new account %s: "):format(klatch.text.line(name)))
  if not first then
    return nil, errors.new("usage", "no password: there is no terminal to ask on; set KLATCH_PASSWORD_FILE")
  elseif keyboard.secret("and again: ") ~= first then
    return nil, errors.new("usage", "these are two passwords")
  end
  return first
end

local function try(options, settings, more)
  local all = { device = device() }
  for _, from in ipairs({ options, settings, more }) do
    for key, value in pairs(from) do
      all[key] = value
    end
  end
  return klatch.connect(all)
end

local function server_of(client)
  return client.host .. ":" .. client.port
end

-- Keeps the token, now and whenever there is another.
local function keep(client, complain)
  local path = tokens.file_of_user()
  local function now()
    if client.core.is_account and path then
      local kept, why = tokens.keep(path, server_of(client), client:name(), client.core.token)
      if not kept then
        complain("the token is not kept: " .. tostring(why))
      end
    end
  end
  now()
  client:on("connected", now)
end

-- The ways in, one after the other, until one leads in or none is left.
local function come_in(options, settings)
  local password, why = from_file()
  if why then
    return nil, why
  elseif options.register then
    if not password then
      password, why = chosen(options.name)
    end
    if not password then
      return nil, why
    end
    return try(options, settings, { password = password })
  end
  local host, port = Client.address(options.server or "127.0.0.1")
  local path = tokens.file_of_user()
  local token = host and tokens.of(path, host .. ":" .. port, options.name)
  local client
  client, why = try(options, settings, { token = token, password = not token and password or nil })
  if client or not ASK[why.name] or (password and not token) then
    return client, why
  end
  if token then
    tokens.keep(path, host .. ":" .. port, options.name, nil)
  end
  password = password or keyboard.secret(("password of %s: "):format(klatch.text.line(options.name)))
  if not password then
    return nil, why
  end
  return try(options, settings, { password = password })
end

--- Connects as the options say. Returns the client, or nil and an error.
function entrance.connect(options, settings, complain)
  local client, why = come_in(options, settings)
  if client then
    keep(client, complain)
  end
  return client, why
end

--- The session has ended: a token that is void is forgotten.
function entrance.leave(client, complain)
  local path = tokens.file_of_user()
  if not (client.core:is_logged_out() and client.core.is_account and path) then
    return
  end
  local forgotten, why = tokens.keep(path, server_of(client), client:name(), nil)
  if not forgotten then
    complain("the token is still kept: " .. tostring(why))
  end
end

return entrance
