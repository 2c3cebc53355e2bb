--- The command line of the chat program.
-- @module klatch.chat.options

local options = {}

options.HELP = [==[
Chat in a terminal, or from a script, with a klatchd.

  lua bin/klatch.lua [--server HOST[:PORT]] [--name NAME] [--room ROOM]...

  -s, --server HOST[:PORT]   the server [default: 127.0.0.1:5528]
  -n, --name NAME            the name to be known by [default: $USER]
      --register             make an account of this name; the password is asked for
      --invite CODE          the code of an invitation, where the server wants one
  -r, --room ROOM            a room to join; may be repeated. Texts go to the first
      --create               make the rooms that do not exist
  -l, --line                 each line of input is a message, each event a line of output;
                             chosen by itself when input or output is not a terminal
      --listen               line mode that reads no input, until it is interrupted
      --plain                no TLS: only sensible on one machine
      --ca FILE              an authority (PEM) to trust; unknown servers are refused then
      --fingerprint HEX      trust the certificate with this SHA-256 and no other
      --known-servers FILE   where certificates are remembered, if not in
                             ~/.local/state/klatch/known_servers
  -h, --help                 this

A password is asked for where the name is that of an account, or read from the first line of the
file that KLATCH_PASSWORD_FILE names. After that the account's token is kept for this device in
~/.local/state/klatch/tokens, until /logout.
A server that is seen for the first time is trusted on first use, as with ssh.
Exit codes: 0 all was said, 1 a message was refused, 64 wrong usage, 69 no connection,
76 the certificate is not the known one, 77 the name was refused, 130 interrupted.
]==]

local VALUES = {
  ["--server"] = "server",
  ["-s"] = "server",
  ["--name"] = "name",
  ["-n"] = "name",
  ["--room"] = "room",
  ["-r"] = "room",
  ["--ca"] = "ca",
  ["--invite"] = "invite",
  ["--fingerprint"] = "fingerprint",
  ["--known-servers"] = "known_servers",
}

local FLAGS = {
  ["--create"] = "create",
  ["--line"] = "line",
  ["--register"] = "register",
  ["-l"] = "line",
  ["--listen"] = "listen",
  ["--plain"] = "plain",
  ["--help"] = "help",
  ["-h"] = "help",
}

--- Reads the arguments. Returns the options, or nil and what is wrong.
function options.read(arguments)
  local found, i = { rooms = {} }, 1
  while i <= #arguments do
    local word, inline = arguments[i], nil
    if word:find("^%-%-.-=") then
      word, inline = word:match("^(%-%-.-)=(.*)$")
    end
    local value = VALUES[word]
    if value then
      if not inline then
        i = i + 1
        inline = arguments[i]
      end
      if not inline then
        return nil, word .. " needs a value"
      elseif value == "room" then
        table.insert(found.rooms, inline)
      else
        found[value] = inline
      end
    elseif FLAGS[word] and not inline then
      found[FLAGS[word]] = true
    else
      return nil, "unknown option " .. word .. "; --help tells them all"
    end
    i = i + 1
  end
  found.name = found.name or os.getenv("USER")
  if found.plain and (found.ca or found.fingerprint) then
    return nil, "--plain has no certificate: it cannot stand beside --ca or --fingerprint"
  elseif found.invite and not found.register then
    return nil, "--invite goes with --register"
  elseif not found.name and not found.help then
    return nil, "no name: give one with --name"
  end
  return found
end

return options
