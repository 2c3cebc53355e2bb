-- A dissector for Wireshark and tshark, by the same tables as the library.
--   tshark -X lua_script:lua/wireshark/klatch.lua -r session.pcap -Y klatch
-- It reads plain sessions on any port, and what Wireshark decrypts by TLS keys. Filters:
-- klatch.method, klatch.event, klatch.id, klatch.code, klatch.name, klatch.malformed, and each
-- field of the protocol by its name, as in `klatch.room == "ops"`.

-- The library stands beside this folder; elsewhere, say where in KLATCH_LUA.
local here = debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") or "."
local library = os.getenv("KLATCH_LUA") or here .. "/.."
package.path = library .. "/?.lua;" .. package.path

local cursor = require("klatch.cursor")
local protocol = require("klatch.protocol")
local scan = require("klatch.scan")

local klatch = Proto("klatch", "Klatch")
local KINDS = { [0] = "request", [1] = "response", [2] = "event" }
local HEADER = protocol.bounds.frame_header_bytes

local codes, methods, events, fields = {}, {}, {}, {}
for _, status in ipairs(protocol.statuses) do
  codes[status.number] = status.name
end

local head_fields = {
  length = ProtoField.uint32("klatch.length", "Length of the body"),
  kind = ProtoField.uint8("klatch.kind", "Kind", base.DEC, KINDS),
  id = ProtoField.uint32("klatch.id", "Number of the request"),
  method = ProtoField.string("klatch.method", "Method"),
  event = ProtoField.string("klatch.event", "Event"),
  asked_in = ProtoField.framenum("klatch.asked_in", "Asked in", base.NONE, frametype and frametype.REQUEST),
  other = ProtoField.none("klatch.other", "Value"),
}

-- One filter for each name and type of field; a status code is shown with its name.
local makers = {
  bool = ProtoField.bool,
  uint = ProtoField.uint64,
  str = ProtoField.string,
  word = ProtoField.string,
  bin = ProtoField.bytes,
  array = ProtoField.none,
  map = ProtoField.none,
}
-- Names that head fields have taken, and what stands for them.
local TAKEN = { id = "member_id", kind = "room_kind" }

local function declare(list, where)
  for _, field in ipairs(list) do
    local kind = field.shape[1]
    kind = kind == "word" and "str" or kind == "map" and "array" or kind
    fields[field.name] = fields[field.name] or {}
    if not fields[field.name][kind] then
      local suffix = next(fields[field.name]) and "." .. kind or ""
      local filter = "klatch." .. (TAKEN[field.name] or field.name) .. suffix
      if field.name == "code" then
        fields[field.name][kind] = ProtoField.uint16(filter, field.name, base.DEC, codes)
      else
        fields[field.name][kind] = makers[kind](filter, field.name)
      end
    end
    where[field.name] = field
  end
  return where
end

local maps = {}
for name, list in pairs(protocol.maps) do
  maps[name] = declare(list, {})
end
for _, method in ipairs(protocol.methods) do
  methods[method.name] = { params = declare(method.params, {}), result = maps[method.result] }
end
for _, event in ipairs(protocol.events) do
  events[event.name] = declare(event.fields, {})
end

local all = {}
for _, field in pairs(head_fields) do
  all[#all + 1] = field
end
for _, kinds in pairs(fields) do
  for _, field in pairs(kinds) do
    all[#all + 1] = field
  end
end
klatch.fields = all

local MALFORMED, ERROR = expert.group.MALFORMED, expert.severity.ERROR
local malformed = ProtoExpert.new("klatch.malformed", "Not of this protocol", MALFORMED, ERROR)
klatch.experts = { malformed }

local show -- adds the value at `at` of a body to a tree; returns where the next stands

local function show_map(body, tvb, at, count, declared, tree)
  for _ = 1, count do
    local _, _, past, from = cursor.head(body, at)
    local name = body:sub(from, past - 1)
    at = show(body, tvb, past, name, declared and declared[name], tree)
  end
  return at
end

local function show_items(body, tvb, at, count, field, tree)
  for i = 1, count do
    local item = field and { name = field.name, shape = field.shape.of } or nil
    at = show(body, tvb, at, item and field.name or ("[%d]"):format(i), item, tree)
  end
  return at
end

local function text_of(body, kind, value, past, from)
  if kind == "str" then
    return body:sub(from, past - 1)
  elseif kind == "uint" then
    return ("%.0f"):format(value)
  elseif kind == "bool" then
    return tostring(value)
  elseif kind == "bin" then
    return value .. " bytes"
  end
  return kind
end

function show(body, tvb, at, name, field, tree)
  local kind, value, past, from = cursor.head(body, at)
  local after = scan.skip(body, at)
  local range = tvb(HEADER + at - 1, after - at)
  local proto = fields[name] and fields[name][(kind == "map" and "array") or kind]
  if kind == "map" or kind == "array" then
    local item = proto and tree:add(proto, range) or tree:add(head_fields.other, range)
    item:set_text(("%s: %d %s"):format(name, value, kind == "map" and "fields" or "items"))
    if kind == "array" then
      return show_items(body, tvb, past, value, field, item)
    end
    local declared = field and field.shape[1] == "map" and maps[field.shape.name]
    return show_map(body, tvb, past, value, declared, item)
  end
  local shown = text_of(body, kind, value, past, from)
  if not proto then
    tree:add(head_fields.other, range):set_text(name .. ": " .. shown)
  elseif kind == "str" then
    tree:add(proto, range, shown)
  elseif kind == "uint" then
    local is_long = past - at == 9
    local number = is_long and tvb(HEADER + at, 8):uint64() or UInt64.new(value)
    tree:add(proto, range, name == "code" and value or number)
  elseif kind == "bool" then
    tree:add(proto, range, value)
  elseif kind == "bin" then
    tree:add(proto, tvb(HEADER + from - 1, past - from))
  end
  return after
end

local function refuse(tree, why)
  tree:add_proto_expert_info(malformed, why == "too_deep" and "values nest too deeply" or why)
  tree:append_text(": " .. why)
  return "malformed"
end

-- Who asked what: by the two ends of a connection and the request's number.
local asked = {}

local function key_of(client, client_port, server, server_port, id)
  return ("%s:%s-%s:%s/%.0f"):format(tostring(client), client_port, tostring(server), server_port, id)
end

local function show_params(body, tvb, at, declared, tree)
  local kind, count, past = cursor.head(body, at)
  if kind ~= "array" or count ~= 1 or cursor.head(body, past) ~= "map" then
    return show(body, tvb, at, "params", nil, tree)
  end
  local _, entries, first = cursor.head(body, past)
  return show_map(body, tvb, first, entries, declared, tree)
end

local kinds = {}

kinds[0] = function(body, tvb, at, pinfo, tree)
  local _, id, past = cursor.head(body, at)
  tree:add(head_fields.id, tvb(HEADER + at - 1, past - at), id)
  local kind, _, after, from = cursor.head(body, past)
  if kind ~= "str" then
    return refuse(tree, "the method is no text")
  end
  local name = body:sub(from, after - 1)
  tree:add(head_fields.method, tvb(HEADER + past - 1, after - past), name)
  asked[key_of(pinfo.src, pinfo.src_port, pinfo.dst, pinfo.dst_port, id)] = { method = name, frame = pinfo.number }
  show_params(body, tvb, after, methods[name] and methods[name].params, tree)
  return name
end

kinds[1] = function(body, tvb, at, pinfo, tree)
  local _, id, past = cursor.head(body, at)
  tree:add(head_fields.id, tvb(HEADER + at - 1, past - at), id)
  local request = asked[key_of(pinfo.dst, pinfo.dst_port, pinfo.src, pinfo.src_port, id)]
  local name = request and request.method or ("response %.0f"):format(id)
  if request then
    tree:add(head_fields.method, request.method):set_generated()
    tree:add(head_fields.asked_in, request.frame):set_generated()
  end
  local refused = cursor.head(body, past) ~= "nil"
  local declared = request and methods[request.method] and methods[request.method].result
  local map_at = refused and past or past + 1
  local kind, count, first = cursor.head(body, map_at)
  if kind ~= "map" then
    return refuse(tree, "neither a result nor an error")
  end
  show_map(body, tvb, first, count, refused and maps.ErrorBody or declared, tree)
  return name .. (refused and " refused" or " done")
end

kinds[2] = function(body, tvb, at, _, tree)
  local kind, _, past, from = cursor.head(body, at)
  if kind ~= "str" then
    return refuse(tree, "the event's name is no text")
  end
  local name = body:sub(from, past - 1)
  tree:add(head_fields.event, tvb(HEADER + at - 1, past - at), name)
  show_params(body, tvb, past, events[name], tree)
  return "event " .. name
end

-- Several frames of one packet share its line.
local last_packet

local function frame(tvb, pinfo, root)
  local length = tvb(0, HEADER):uint()
  local tree = root:add(klatch, tvb(), "Klatch")
  tree:add(head_fields.length, tvb(0, HEADER))
  pinfo.cols.protocol = "Klatch"
  local body = length > 0 and tvb:raw(HEADER, length) or ""
  local big, why = scan.check(body)
  local shape, count, at = cursor.head(body, 1)
  local form, kind, past
  if big then
    form, kind, past = cursor.head(body, at)
  end
  local summary
  local right = shape == "array" and form == "uint" and kinds[kind] and count == (kind == 2 and 3 or 4)
  local numbered = right and (kind == 2 or cursor.head(body, past) == "uint")
  if not big then
    summary = refuse(tree, why)
  elseif not numbered then
    summary = refuse(tree, "neither a request nor a response nor an event")
  else
    tree:add(head_fields.kind, tvb(HEADER + at - 1, past - at), kind)
    summary = kinds[kind](body, tvb, past, pinfo, tree)
    tree:append_text(", " .. summary)
  end
  if pinfo.number == last_packet then
    pinfo.cols.info:append(", " .. summary)
  else
    pinfo.cols.info:set(summary)
  end
  last_packet = pinfo.number
  return HEADER + length
end

local function length_of(tvb, _, offset)
  local length = tvb(offset, HEADER):uint()
  -- What is too long is no frame: its head is shown, and what follows is not waited for.
  return length <= protocol.bounds.frame_bytes and HEADER + length or HEADER
end

function klatch.dissector(tvb, _, root)
  dissect_tcp_pdus(tvb, root, HEADER, length_of, frame)
  return tvb:len()
end

-- On any port: a length within the bounds, then an array of three or four that begins with a kind.
klatch:register_heuristic("tcp", function(tvb, pinfo, root)
  if tvb:len() < HEADER + 2 then
    return false
  end
  local length, first, kind = tvb(0, HEADER):uint(), tvb(HEADER, 1):uint(), tvb(HEADER + 1, 1):uint()
  local fits = (first == 0x94 and kind <= 1) or (first == 0x93 and kind == 2)
  if length == 0 or length > protocol.bounds.frame_bytes or not fits then
    return false
  end
  pinfo.conversation = klatch
  klatch.dissector(tvb, pinfo, root)
  return true
end)

DissectorTable.get("tcp.port"):add(protocol.port, klatch)
local alpn = DissectorTable.get("tls.alpn")
if alpn then
  alpn:add(protocol.alpn, klatch)
end
