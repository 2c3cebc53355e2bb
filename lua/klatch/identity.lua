--- Whether a certificate is for the host that was called (RFC 6125, RFC 2818).
-- LuaSec verifies the chain and not the name, so the name is compared here: only subject
-- alternative names count, never the common name.
-- @module klatch.identity

local identity = {}

local unpack = unpack or table.unpack

local SUBJECT_ALT_NAME = "2.5.29.17"

local function ipv4(text)
  local bytes = { text:match("^(%d+)%.(%d+)%.(%d+)%.(%d+)$") }
  for i, byte in ipairs(bytes) do
    bytes[i] = tonumber(byte)
    if #byte > 3 or bytes[i] > 255 then
      return nil
    end
  end
  return #bytes == 4 and bytes or nil
end

local function words(text)
  local all = {}
  for word in (text .. ":"):gmatch("(.-):") do
    local bytes = word:find(".", 1, true) and ipv4(word)
    if bytes then
      all[#all + 1] = bytes[1] * 256 + bytes[2]
      all[#all + 1] = bytes[3] * 256 + bytes[4]
    elseif word:find("^%x%x?%x?%x?$") then
      all[#all + 1] = tonumber(word, 16)
    else
      return nil
    end
  end
  return all
end

local function ipv6(text)
  local before, after = text:match("^(.-)::(.*)$")
  local head = words(before or text)
  if before == "" then
    head = {}
  end
  local tail = after and after ~= "" and words(after) or {}
  if not (head and tail) or (after and after ~= "" and #tail == 0) then
    return nil
  end
  local missing = 8 - #head - #tail
  if missing < 0 or (missing > 0) ~= (before ~= nil) then
    return nil
  end
  for _ = 1, missing do
    head[#head + 1] = 0
  end
  for _, word in ipairs(tail) do
    head[#head + 1] = word
  end
  return head
end

--- An IP address in one form of all those that it can be written in; nil if the text is none.
function identity.address(text)
  local bytes = ipv4(text)
  if bytes then
    return table.concat(bytes, ".")
  elseif not text:find(":", 1, true) then
    return nil
  end
  local all = ipv6(text)
  return all and ("%x:%x:%x:%x:%x:%x:%x:%x"):format(unpack(all)) or nil
end

-- A `*` stands for the whole first label of a name that has at least two labels more.
local function name_matches(pattern, host)
  pattern, host = pattern:lower():gsub("%.$", ""), host:lower():gsub("%.$", "")
  if pattern:sub(1, 2) ~= "*." then
    return pattern == host and not pattern:find("*", 1, true)
  end
  local rest = pattern:sub(2)
  if rest:find("*", 1, true) or not rest:find("^%.[^.]+%.[^.]") then
    return false
  end
  local label, domain = host:match("^([^.]+)(%..+)$")
  return label ~= nil and domain == rest
end

--- Compares the names of a certificate with the host that was called.
-- @tparam table names `{ dns = { ... }, ip = { ... } }`
-- @tparam string host a name, or an address
function identity.covers(names, host)
  local address = identity.address(host)
  if address then
    for _, ip in ipairs(names.ip) do
      if identity.address(ip) == address then
        return true
      end
    end
    return false
  end
  for _, pattern in ipairs(names.dns) do
    if name_matches(pattern, host) then
      return true
    end
  end
  return false
end

--- The names of a certificate as LuaSec gives it.
function identity.names(certificate)
  local found = (certificate:extensions() or {})[SUBJECT_ALT_NAME] or {}
  local function strings(list)
    local all = {}
    for _, name in ipairs(type(list) == "table" and list or {}) do
      -- A name with a NUL in it is made to be misread.
      if type(name) == "string" and not name:find("%z") then
        all[#all + 1] = name
      end
    end
    return all
  end
  return { dns = strings(found.dNSName), ip = strings(found.iPAddress) }
end

return identity
