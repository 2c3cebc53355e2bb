--- What can go wrong, and whether trying again can help.
-- An error is a table: `kind` (see below), `text` for people, and for what the server refused all
-- fields of its ErrorBody: `code`, `name`, `applied`, `limit`, `used`, `allowed`, `retry_after_ms`,
-- `suggestion`. `temporary` says whether trying again can help. `tostring` gives a sentence.
--
-- Kinds: "refused" (a request), "bye" (the session was ended), "usage" (wrong parameters; nothing
-- was sent), "full" (too many requests wait), "disconnected" (the answer never came), "ended",
-- "protocol", "silent", "io", "tls", "trust" (the certificate), "address".
-- @module klatch.errors

local errors = {}

local Error = {}
Error.__index = Error

function Error:__tostring()
  local text = (self.text or self.kind):gsub("%.$", "")
  if self.kind == "bye" then
    text = "the server ended the session: " .. text
  end
  if self.suggestion then
    text = text .. (" (%q would be accepted)"):format(self.suggestion)
  end
  return text
end

local LASTING = { usage = true, ended = true, trust = true, address = true }

--- An error of this kind.
function errors.new(kind, text)
  return setmetatable({ kind = kind, text = text, temporary = not LASTING[kind] }, Error)
end

local function from(kind, body)
  local error = errors.new(kind, body.text)
  for key, value in pairs(body) do
    error[key] = value
  end
  -- A client acts on the class: so a code that it does not know is no problem.
  error.class = math.floor(body.code / 100)
  error.temporary = error.class >= 4
  return error
end

--- What the server refused: `body` is an ErrorBody.
function errors.refused(body)
  return from("refused", body)
end

--- How the server ended the session: `body` is the payload of `bye`.
function errors.bye(body)
  return from("bye", body)
end

--- Whether a request with a key may be sent again as it is.
function errors.may_repeat(error)
  if error.kind ~= "refused" then
    return false
  end
  return error.class >= 5 or (error.class == 4 and error.retry_after_ms ~= nil)
end

return errors
