-- What `luacheck lua` looks for, and what it passes over.
std = "max"
cache = false
max_line_length = 120
files["klatch/protocol.lua"] = { max_line_length = false } -- generated
files["**/klatch/protocol.lua"] = { max_line_length = false }
files["spec"] = { std = "+busted" }
files["**/*_spec.lua"] = { std = "+busted" }
files["wireshark"] = {
  globals = {
    "DissectorTable", "Proto", "ProtoField", "ProtoExpert", "base", "expert", "dissect_tcp_pdus", "UInt64",
    "frametype",
  },
}
files["**/wireshark/*.lua"] = files["wireshark"]
