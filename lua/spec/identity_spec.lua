-- Whom a certificate is for, and what is remembered of servers.
local Client = require("klatch.client")
local identity = require("klatch.identity")
local pins = require("klatch.pins")
local Trust = require("klatch.trust")
local uint64 = require("klatch.uint64")

describe("a certificate", function()
  local function covers(host, dns, ip)
    return identity.covers({ dns = dns or {}, ip = ip or {} }, host)
  end

  it("is for the names in it, in any case", function()
    assert.is_true(covers("chat.example", { "other.example", "Chat.Example" }))
    assert.is_true(covers("chat.example.", { "chat.example" }))
    assert.is_false(covers("chat.example", {}))
    assert.is_false(covers("chat.example", { "chat.example.org", "xchat.example", "hat.example" }))
  end)

  it("with a wildcard is for one label, in the first place, of a domain", function()
    assert.is_true(covers("a.chat.example", { "*.chat.example" }))
    assert.is_false(covers("chat.example", { "*.chat.example" }))
    assert.is_false(covers("a.b.chat.example", { "*.chat.example" }))
    local wrong = { "*", "*.", "*.example", "a*.chat.example", "*a.chat.example", "a.*.example", "*.*.example" }
    for _, pattern in ipairs(wrong) do
      assert.is_false(covers("a.chat.example", { pattern }), pattern)
    end
    assert.is_false(covers("example", { "*.example" }))
  end)

  it("is for an address only if it names that address", function()
    assert.is_true(covers("127.0.0.1", {}, { "127.0.0.1" }))
    assert.is_true(covers("::1", {}, { "0:0:0:0:0:0:0:1" }))
    assert.is_true(covers("2001:DB8::1", {}, { "2001:db8:0:0::1" }))
    assert.is_true(covers("::ffff:1.2.3.4", {}, { "::ffff:102:304" }))
    assert.is_false(covers("127.0.0.1", { "127.0.0.1", "*.0.0.1" }, {}))
    assert.is_false(covers("127.0.0.1", {}, { "127.0.0.2" }))
    assert.is_false(covers("::1", {}, { "::2", "1::" }))
  end)

  it("has addresses in many forms", function()
    for text, want in pairs({
      ["::"] = "0:0:0:0:0:0:0:0",
      ["1::"] = "1:0:0:0:0:0:0:0",
      ["::1:2"] = "0:0:0:0:0:0:1:2",
      ["1:2:3:4:5:6:7:8"] = "1:2:3:4:5:6:7:8",
      ["1.2.3.4"] = "1.2.3.4",
    }) do
      assert.are.equal(want, identity.address(text), text)
    end
    local wrong = { "1.2.3", "1.2.3.256", "1:2", "1::2::3", ":::", "1:2:3:4:5:6:7:8:9", "12345::", "x::", "host", ":" }
    for _, text in ipairs(wrong) do
      assert.is_nil(identity.address(text), text)
    end
  end)

  it("has names only where they belong, and none with a NUL", function()
    local names = identity.names({
      extensions = function()
        return { ["2.5.29.17"] = { dNSName = { "a.example", "b.example\0.evil" }, iPAddress = { "::1" } }, x = {} }
      end,
    })
    assert.are.same({ dns = { "a.example" }, ip = { "::1" } }, names)
  end)
end)

describe("a fingerprint", function()
  it("is read in the forms that people paste", function()
    local hex = ("ab"):rep(32)
    for _, text in ipairs({ hex, "sha256:" .. hex, " SHA256:" .. ("AB:"):rep(31) .. "AB\n" }) do
      assert.are.equal("sha256:" .. hex, pins.fingerprint(text))
    end
    for _, text in ipairs({ "", "sha256:", hex .. "a", hex:sub(2), ("xy"):rep(32) }) do
      assert.is_nil(pins.fingerprint(text))
    end
  end)
end)

describe("known servers", function()
  local one, two = "sha256:" .. ("01"):rep(32), "sha256:" .. ("02"):rep(32)
  local path

  local function write(text)
    local file = assert(io.open(path, "wb"))
    file:write(text)
    file:close()
  end

  before_each(function()
    path = os.tmpname()
  end)
  after_each(function()
    os.remove(path)
  end)

  it("are found by host and port, and all else is kept", function()
    write("# mine\n\na.example:1 " .. one .. " office\nnonsense\nA.example:1 " .. two)
    local found = assert(pins.of(path, "a.example:1"))
    assert.are.same({ { line = 3, fingerprint = one }, { line = 5, fingerprint = two } }, found)
    assert.are.same({}, pins.of(path, "a.example:2"))
    assert.is_true(pins.remember(path, "b'x:2", one))
    local file = io.open(path, "rb")
    local text = file:read("*a")
    file:close()
    assert.are.equal("nonsense\nA.example:1 " .. two .. "\nb'x:2 " .. one .. "\n", text:match("nonsense.*"))
  end)

  it("that cannot be read are not passed over", function()
    write("x:1 sha256:12\n")
    assert.is_nil((pins.of(path, "x:1")))
    local trust = Trust.new({ known_servers = path, on_unknown_server = function() return true end })
    assert.is_nil((trust:check("x:1", one, "why")))
    assert.is_nil((pins.remember("/dev/null/nothing", "x:1", one)))
  end)

  it("decide, and after them nothing weaker does", function()
    write("x:1 " .. one .. "\n")
    local asked = 0
    local trust = Trust.new({ known_servers = path, on_unknown_server = function()
      asked = asked + 1
      return asked == 1
    end })
    assert.is_true(trust:check("x:1", one, "self-signed"))
    -- An authority that vouches for another certificate changes nothing.
    local went, error = trust:check("x:1", two, nil)
    assert.is_nil(went)
    assert.are.equal("trust", error.kind)
    assert.are.equal(0, asked)

    write("")
    trust = Trust.new({ known_servers = path, on_unknown_server = trust.decide })
    assert.is_true(trust:check("x:1", one, "self-signed"))
    assert.is_true(trust:check("x:1", one, "self-signed"))
    assert.is_nil((trust:check("x:1", two, "self-signed")))
    assert.are.equal(1, asked)
    assert.are.equal(one, pins.of(path, "x:1")[1].fingerprint)
    -- Another run of the program, with nobody to ask.
    assert.is_nil((Trust.new({ known_servers = path }):check("y:1", one, "self-signed")))
  end)

  it("are not asked when a fingerprint is given, or an authority vouched once", function()
    local trust = Trust.new({ known_servers = false, fingerprint = one })
    assert.is_true(trust:check("x:1", one, "self-signed"))
    assert.is_nil((trust:check("x:1", two, nil)))
    trust = Trust.new({ known_servers = false, on_unknown_server = function() return true end })
    assert.is_true(trust:check("x:1", one, nil))
    assert.is_nil((trust:check("x:1", two, "self-signed")))
  end)
end)

describe("an address of a server", function()
  it("is read with and without a port", function()
    for text, want in pairs({
      ["chat.example"] = "chat.example 5528",
      ["Chat.Example:1"] = "chat.example 1",
      ["127.0.0.1:9"] = "127.0.0.1 9",
      ["::1"] = "::1 5528",
      ["[::1]"] = "::1 5528",
      ["[::1]:9"] = "::1 9",
    }) do
      assert.are.equal(want, table.concat({ Client.address(text) }, " "))
    end
    for _, text in ipairs({ "", ":1", "a:", "a:b", "a:99999", "[::1", "[::1]9", "a b", "[]:1", "http://a" }) do
      assert.is_nil((Client.address(text)), text)
    end
  end)
end)

describe("integers past every number", function()
  it("are digits, there and back", function()
    for digits, hex in pairs({
      ["0"] = "0000000000000000",
      ["9007199254740993"] = "0020000000000001",
      ["9223372036854775808"] = "8000000000000000",
      ["10000000"] = "0000000000989680",
      ["18446744073709551615"] = "ffffffffffffffff",
    }) do
      local bytes = hex:gsub("%x%x", function(pair)
        return string.char(tonumber(pair, 16))
      end)
      assert.are.equal(digits, uint64.digits(bytes))
      assert.are.equal(bytes, uint64.bytes(digits))
    end
    for _, text in ipairs({ "", "-1", "1.5", "18446744073709551616", ("9"):rep(21) }) do
      assert.is_nil(uint64.bytes(text))
    end
  end)
end)
