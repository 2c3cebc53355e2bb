--- Whom to believe: what must hold of a server's certificate, and what is said when it does not.
-- In this order: a fingerprint given by the caller; what is remembered of the server; the
-- authorities (the system's, or a given one) together with the host's name; for a server never seen
-- before the caller's decision, which is remembered. Nothing weaker is tried after something
-- stronger has spoken, and nothing less than held of the first connection holds of a later one.
-- @module klatch.trust

local errors = require("klatch.errors")
local pins = require("klatch.pins")

local Trust = {}
Trust.__index = Trust

-- Where systems keep the authorities that they trust.
local AUTHORITIES = {
  "/etc/ssl/certs/ca-certificates.crt", -- Debian, Arch, Gentoo
  "/etc/pki/tls/certs/ca-bundle.crt", -- Fedora
  "/etc/ssl/ca-bundle.pem", -- openSUSE
  "/etc/ssl/cert.pem", -- Alpine, BSD, macOS
  "/usr/local/share/certs/ca-root-nss.crt", -- FreeBSD
}

local function is_readable(path)
  local file = io.open(path, "rb")
  return file ~= nil and file:close() ~= nil
end

--- @tparam table options
--   `fingerprint`: trust this certificate and no other.
--   `ca`: file of an authority (PEM); unknown servers are refused then.
--   `known_servers`: file in which servers are remembered; false: none are.
--   `on_unknown_server`: function of `{ server, fingerprint, why, known_servers }` that decides.
-- @return nil and an error if something of this is no good
function Trust.new(options)
  local self = setmetatable({ decide = options.on_unknown_server, ca = options.ca }, Trust)
  if options.fingerprint then
    self.given = pins.fingerprint(options.fingerprint)
    if not self.given then
      return nil, errors.new("usage", "a SHA-256 fingerprint has 64 hexadecimal digits")
    end
  end
  if options.ca and not is_readable(options.ca) then
    return nil, errors.new("trust", "certificate authority, " .. options.ca .. ": it cannot be read")
  end
  if options.known_servers ~= false then
    self.file = options.known_servers or pins.file_of_user()
  end
  return self
end

--- The file of authorities for the TLS library, if there is one.
function Trust:authorities()
  if self.ca then
    return self.ca
  end
  local named = os.getenv("SSL_CERT_FILE")
  if named and is_readable(named) then
    return named
  end
  for _, path in ipairs(AUTHORITIES) do
    if is_readable(path) then
      return path
    end
  end
end

local function is_among(known, fingerprint)
  for _, pin in ipairs(known) do
    if pin.fingerprint == fingerprint then
      return true
    end
  end
  return false
end

local function changed(self, server, seen, known)
  if not self.file then
    local text = "the certificate of %s is %s now, and was %s"
    return errors.new("trust", text:format(server, seen, known[1].fingerprint))
  end
  local lines = { ("THE CERTIFICATE OF %s IS NOT THE ONE THAT IS KNOWN."):format(server) }
  lines[#lines + 1] = "  it shows   " .. seen
  for _, pin in ipairs(known) do
    lines[#lines + 1] = ("  known is   %s  (%s, line %d)"):format(pin.fingerprint, self.file, pin.line or 0)
  end
  lines[#lines + 1] = "Either the server has a new certificate, or somebody stands between you and it."
  lines[#lines + 1] = "Nothing was sent. Ask the server's operator for the fingerprint; if it is the one that"
  lines[#lines + 1] = ("%s shows, delete the line in %s and connect again."):format(server, self.file)
  return errors.new("trust", table.concat(lines, "\n"))
end

local function decide(self, server, seen, why)
  local unknown = { server = server, fingerprint = seen, why = why, known_servers = self.file }
  if not (self.decide and self.decide(unknown)) then
    local text = "%s is not known and no authority vouches for it (%s); its certificate is %s: "
      .. "if its operator confirms that, give this fingerprint"
    return nil, errors.new("trust", text:format(server, why, seen))
  end
  if self.file then
    local remembered, wrong = pins.remember(self.file, server, seen)
    if not remembered then
      return nil, errors.new("trust", "known servers: " .. wrong)
    end
  end
  self.proven = { { fingerprint = seen } }
  return true, "decided"
end

--- Judges the certificate of `server`.
-- @tparam string server `host:port`
-- @tparam string seen its fingerprint
-- @tparam ?string why what speaks against it: the chain or the name; nil if authorities vouch for it
-- @return true, and "decided" if it was the caller's decision just now; or nil and an error
function Trust:check(server, seen, why)
  if self.given then
    if seen == self.given then
      return true
    end
    local text = "the certificate of %s is %s, not %s, which was asked for"
    return nil, errors.new("trust", text:format(server, seen, self.given))
  end
  local known = self.proven
  if not known and self.file then
    local wrong
    known, wrong = pins.of(self.file, server)
    if not known then
      return nil, errors.new("trust", "known servers: " .. wrong)
    end
  end
  known = known or {}
  if known ~= "vouched" and #known > 0 then
    self.proven = known
    if is_among(known, seen) then
      return true
    end
    return nil, changed(self, server, seen, known)
  elseif not why then
    self.proven = "vouched"
    return true
  elseif self.ca or known == "vouched" then
    return nil, errors.new("trust", ("no TLS connection to %s: %s"):format(server, why))
  end
  return decide(self, server, seen, why)
end

return Trust
