--- How a client takes its name, and which rooms it enters then: a part of `klatch.answers`.
-- @module klatch.login

local login = {}

--- Takes the name: by a token, by the password, with a new account, or as a guest. A registration
-- whose answer was lost may have made the account: then the password is tried first.
function login.take_name(core)
  local options = core.options
  local method, params = "login", { name = options.name, token = core.token }
  if not core.token and core.password then
    params.password, params.device = core.password, options.device
    if core.register and not core.registering then
      method, params.invite, core.registering = "register", options.invite, true
    end
  end
  for key, value in pairs(method == "login" and options.login or {}) do
    params[key] = value
  end
  return core:ask(method, params, "login")
end

--- The name was refused. Whether it is to be asked for in another way: the account that may have
-- been made was not.
function login.is_open(core, method, error)
  local was_registering = core.registering
  core.registering = nil
  return was_registering and method == "login" and error.name == "bad_credentials"
end

--- The name is held: the token stands for the password from now on.
function login.held(core, answer)
  core.token, core.name, core.is_account = answer.token, answer.name, not answer.guest
  core.password, core.register, core.registering = nil, nil, nil
  -- Nor does the table of options keep it for whoever looks into the program later.
  core.options.password = nil
end

--- What is to be done about the rooms that are not among `theirs`: two lists, of those to enter
-- (`{ name, with }`) and of names that are left. An account is at home in no rooms but those that the
-- server names: others were left, or it was put out, while this client was away.
function login.rooms(core, theirs)
  local enter, left, asked = {}, {}, {}
  for _, name in ipairs(not core.was_ready and core.options.rooms or {}) do
    asked[name] = true
  end
  for name, room in pairs(core.rooms) do
    if theirs[name] then
      asked[name] = nil
    elseif asked[name] or room.with or not core.is_account then
      enter[#enter + 1] = { name = name, with = room.with }
      asked[name] = nil
    else
      left[#left + 1] = name
    end
  end
  for name in pairs(asked) do
    if not theirs[name] then
      enter[#enter + 1] = { name = name }
    end
  end
  return enter, left
end

return login
