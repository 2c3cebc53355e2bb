-- Nothing that came from the network acts on a terminal.
local text = require("klatch.text")

local ESC = "\27"

describe("a line for the terminal", function()
  it("is left alone when it is plain", function()
    for _, plain in ipairs({ "", "hello", "žluťoučký", "日本語", "👩‍👩‍👧", "e\204\129" }) do
      assert.are.equal(plain, text.line(plain))
    end
  end)

  it("shows what would act instead of doing it", function()
    assert.are.equal("red ␛[31m", text.line("red " .. ESC .. "[31m"))
    assert.are.equal("a    b␊c␍", text.line("a\tb\nc\r"))
    assert.are.equal("␡␀", text.line("\127\0"))
    assert.are.equal("<U+0085><U+009B>", text.line("\194\133\194\155"))
    assert.are.equal("<U+202E>x<U+2069>", text.line("\226\128\174x\226\129\169"))
    assert.are.equal("<U+2028><U+FEFF><U+E0041>", text.line("\226\128\168\239\187\191\243\160\129\129"))
  end)

  it("has no bytes that are not text", function()
    assert.are.equal("a�b��", text.line("a\255b\237\160\128"):sub(1, 11))
    assert.are.equal("���", text.line("\240\128\128"))
  end)

  it("keeps line breaks where lines are wanted, and marks them where one is", function()
    assert.are.equal("a\nb␛", text.lines("a\nb" .. ESC))
    assert.are.equal("a ⏎ b", text.one_line("a\nb"))
  end)

  it("does not climb over its neighbours", function()
    local tower = "e" .. ("\204\129"):rep(100) .. "f"
    assert.are.equal("e" .. ("\204\129"):rep(8) .. "f", text.line(tower))
  end)

  it("has no byte of a control in it, whatever came", function()
    local seed = 7
    local function chance(most)
      seed = (seed * 16807) % 2147483647
      return seed % most
    end
    for _ = 1, 2000 do
      local bytes = {}
      for i = 1, chance(40) do
        bytes[i] = string.char(chance(256))
      end
      local line = text.line(table.concat(bytes))
      assert.is_nil(line:find("[%z\1-\31\127]"))
      for _, point in text.characters(line) do
        assert.is_true(point ~= nil and not (point >= 0x80 and point < 0xa0))
      end
    end
  end)
end)

describe("a text on its way out", function()
  it("is what the server takes, and else as it was written", function()
    assert.are.equal("a\tb\nc␛[1m␍", text.outgoing("a\tb\nc" .. ESC .. "[1m\r"))
    assert.are.equal("\226\128\174", text.outgoing("\226\128\174"))
    assert.are.equal("�", text.outgoing("\200"))
  end)
end)

describe("the width of a line", function()
  it("counts columns", function()
    assert.are.equal(5, text.width("hello"))
    assert.are.equal(6, text.width("日本語"))
    assert.are.equal(1, text.width("e\204\129"))
  end)
end)
