--- One connection by LuaSocket and LuaSec: dialled, shaken hands with, judged; never blocking, but
-- for the system's own look-up of the host's name.
-- @module klatch.link

local socket = require("socket")

local errors = require("klatch.errors")
local identity = require("klatch.identity")
local protocol = require("klatch.protocol")

local Link = {}
Link.__index = Link

-- Time for a TCP connection and a TLS handshake together.
local TIME = 10
-- Bytes of one read, and reads of one turn.
local READ, READS = 16384, 16

local WAITS = { timeout = true, wantread = true, wantwrite = true }

local function failed(self, what, why)
  self:close()
  return nil, errors.new("io", ("%s %s: %s"):format(what, self.server, why))
end

-- Dials the next of the addresses that the host has.
local function dial(self, why)
  local address = table.remove(self.addresses, 1)
  if not address then
    return failed(self, "cannot connect to", why or "no address")
  end
  if self.socket then
    self.socket:close()
  end
  local made, wrong = (address.family == "inet6" and socket.tcp6 or socket.tcp4)()
  if not made then
    return failed(self, "cannot connect to", wrong)
  end
  self.socket = made
  made:settimeout(0)
  local connected, waiting = made:connect(address.addr, self.port)
  if not connected and waiting ~= "timeout" then
    return dial(self, waiting)
  end
  self.phase, self.wants_write = "dialling", true
  return true
end

--- Begins a connection.
-- @tparam string host
-- @tparam number port
-- @tparam ?klatch.trust trust nil: no TLS
function Link.open(host, port, trust, now)
  local shown = host:find(":", 1, true) and "[" .. host .. "]" or host
  local self = setmetatable({
    host = host,
    port = port,
    server = shown .. ":" .. port,
    trust = trust,
    until_at = now + TIME,
    wants_read = true,
  }, Link)
  local addresses, why = socket.dns.getaddrinfo(host)
  if not addresses then
    return failed(self, "cannot find", why)
  end
  self.addresses = addresses
  local dialled, wrong = dial(self)
  if not dialled then
    return nil, wrong
  end
  return self
end

local function secure(self)
  local found, ssl = pcall(require, "ssl")
  if not found then
    return failed(self, "no TLS for", "LuaSec is missing (install lua-sec)")
  end
  local wrapped, why = ssl.wrap(self.socket, {
    mode = "client",
    protocol = "any",
    cafile = self.trust:authorities(),
    verify = { "peer" },
    -- The handshake goes on in any case: the judgement follows it, and nothing is sent before.
    verifyext = { "lsec_continue" },
    options = { "all", "no_sslv2", "no_sslv3", "no_tlsv1", "no_tlsv1_1" },
    alpn = { protocol.alpn },
  })
  if not wrapped then
    return failed(self, "no TLS for", why)
  end
  self.socket = wrapped
  if not identity.address(self.host) then
    wrapped:sni(self.host)
  end
  wrapped:settimeout(0)
  self.phase = "handshake"
  return true
end

-- What speaks against the certificate; nil if authorities and its names vouch for it.
local function complaint(self, certificate)
  local verified, why = self.socket:getpeerverification()
  if not verified then
    local texts = {}
    for _, at_depth in ipairs(type(why) == "table" and why or {}) do
      for _, text in ipairs(at_depth) do
        texts[#texts + 1] = text
      end
    end
    return texts[1] or type(why) == "string" and why or "certificate verify failed"
  elseif not self.trust:authorities() then
    return "there are no authorities on this system"
  elseif not identity.covers(identity.names(certificate), self.host) then
    return "the certificate is not for " .. self.host
  end
end

local function judge(self)
  local certificate = self.socket:getpeercertificate()
  if not certificate then
    return failed(self, "no TLS for", "the server shows no certificate")
  end
  local seen = "sha256:" .. certificate:digest("sha256"):lower()
  self.fingerprint = seen
  local trusted, how = self.trust:check(self.server, seen, complaint(self, certificate))
  if not trusted then
    self:close()
    return nil, how
  end
  self.decided = how == "decided"
  self.phase, self.wants_write = "open", false
  return true
end

local function shake_hands(self)
  local done, why = self.socket:dohandshake()
  if done then
    return judge(self)
  elseif not WAITS[why] then
    self:close()
    return nil, errors.new("tls", ("no TLS connection to %s: %s"):format(self.server, why))
  end
  self.wants_write = why == "wantwrite"
  return true
end

--- Goes on with what can be gone on with.
-- @return whether the connection is open; or nil and an error
function Link:advance(now)
  if self.phase == "dialling" then
    local _, writable = socket.select(nil, { self.socket }, 0)
    if #writable > 0 then
      local connected, why = self.socket:connect(self.host, self.port)
      local went, wrong
      if connected or why == "already connected" then
        self.socket:setoption("tcp-nodelay", true)
        self.wants_write = false
        if self.trust then
          went, wrong = secure(self)
        else
          self.phase, went = "open", true
        end
      else
        went, wrong = dial(self, why)
      end
      if not went then
        return nil, wrong
      end
    end
  end
  if self.phase == "handshake" then
    local went, wrong = shake_hands(self)
    if not went then
      return nil, wrong
    end
  end
  if self.phase ~= "open" and self.until_at <= now then
    return failed(self, "connecting to", "timeout")
  end
  return self.phase == "open"
end

--- What has come: bytes, maybe none.
-- @return bytes and whether more may be there; or nil, an error, and the bytes before it
function Link:read()
  local parts = {}
  for _ = 1, READS do
    local whole, why, part = self.socket:receive(READ)
    parts[#parts + 1] = whole or part
    if not whole then
      local bytes = table.concat(parts)
      if WAITS[why] then
        return bytes, false
      end
      local text = why == "closed" and "the server closed the connection" or "reading from the server: " .. why
      return nil, errors.new("io", text), bytes
    end
  end
  return table.concat(parts), true
end

--- Writes what the connection takes now. Returns how many bytes it took; or nil and an error.
function Link:write(bytes)
  local last, why, part = self.socket:send(bytes)
  if last then
    self.wants_write = false
    return last
  elseif WAITS[why] then
    self.wants_write = true
    return part or 0
  end
  return nil, errors.new("io", "writing to the server: " .. why)
end

function Link:close()
  self.phase = "closed"
  if self.socket then
    self.socket:close()
    self.socket = nil
  end
end

return Link
