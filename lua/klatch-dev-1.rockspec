-- For luarocks: `luarocks make lua/klatch-dev-1.rockspec` in the top of the repository.
rockspec_format = "3.0"
package = "klatch"
version = "dev-1"
source = {
  url = "git+file://.",
}
description = {
  summary = "A client of the chat daemon klatchd: library, chat program, bots",
  license = "MIT OR Apache-2.0",
}
dependencies = {
  "lua >= 5.1, < 5.5",
  "lua-messagepack >= 0.5",
  "luasocket >= 3.0",
  "luasec >= 1.0",
}
test_dependencies = {
  "busted >= 2.0",
  "dkjson >= 2.5",
}
build = {
  type = "builtin",
  modules = {
    ["klatch"] = "lua/klatch/init.lua",
    ["klatch.answers"] = "lua/klatch/answers.lua",
    ["klatch.chat.account"] = "lua/klatch/chat/account.lua",
    ["klatch.chat.commands"] = "lua/klatch/chat/commands.lua",
    ["klatch.chat.editor"] = "lua/klatch/chat/editor.lua",
    ["klatch.chat.entrance"] = "lua/klatch/chat/entrance.lua",
    ["klatch.chat.format"] = "lua/klatch/chat/format.lua",
    ["klatch.chat.keyboard"] = "lua/klatch/chat/keyboard.lua",
    ["klatch.chat.line"] = "lua/klatch/chat/line.lua",
    ["klatch.chat.messages"] = "lua/klatch/chat/messages.lua",
    ["klatch.chat.moderation"] = "lua/klatch/chat/moderation.lua",
    ["klatch.chat.options"] = "lua/klatch/chat/options.lua",
    ["klatch.chat.reading"] = "lua/klatch/chat/reading.lua",
    ["klatch.chat.terminal"] = "lua/klatch/chat/terminal.lua",
    ["klatch.chat.typing"] = "lua/klatch/chat/typing.lua",
    ["klatch.client"] = "lua/klatch/client.lua",
    ["klatch.codec"] = "lua/klatch/codec.lua",
    ["klatch.core"] = "lua/klatch/core.lua",
    ["klatch.cursor"] = "lua/klatch/cursor.lua",
    ["klatch.errors"] = "lua/klatch/errors.lua",
    ["klatch.frames"] = "lua/klatch/frames.lua",
    ["klatch.identity"] = "lua/klatch/identity.lua",
    ["klatch.keys"] = "lua/klatch/keys.lua",
    ["klatch.link"] = "lua/klatch/link.lua",
    ["klatch.login"] = "lua/klatch/login.lua",
    ["klatch.luv"] = "lua/klatch/luv.lua",
    ["klatch.marks"] = "lua/klatch/marks.lua",
    ["klatch.membership"] = "lua/klatch/membership.lua",
    ["klatch.msgpack"] = "lua/klatch/msgpack.lua",
    ["klatch.pace"] = "lua/klatch/pace.lua",
    ["klatch.pages"] = "lua/klatch/pages.lua",
    ["klatch.pins"] = "lua/klatch/pins.lua",
    ["klatch.protocol"] = "lua/klatch/protocol.lua",
    ["klatch.requests"] = "lua/klatch/requests.lua",
    ["klatch.room"] = "lua/klatch/room.lua",
    ["klatch.scan"] = "lua/klatch/scan.lua",
    ["klatch.shape"] = "lua/klatch/shape.lua",
    ["klatch.socket"] = "lua/klatch/socket.lua",
    ["klatch.statefile"] = "lua/klatch/statefile.lua",
    ["klatch.text"] = "lua/klatch/text.lua",
    ["klatch.timeline"] = "lua/klatch/timeline.lua",
    ["klatch.trust"] = "lua/klatch/trust.lua",
    ["klatch.tokens"] = "lua/klatch/tokens.lua",
    ["klatch.uint64"] = "lua/klatch/uint64.lua",
  },
  install = {
    bin = { ["klatch.lua"] = "lua/bin/klatch.lua" },
  },
  copy_directories = {},
}
