--- Lists, histories and searches, which come in pages.
-- @module klatch.pages

local codec = require("klatch.codec")
local errors = require("klatch.errors")
local protocol = require("klatch.protocol")

local pages = {}

-- The field of a method's result that holds the items.
local function list_field(method)
  local declared = codec.methods[method]
  local list, is_paged
  for _, field in ipairs(declared and protocol.maps[declared.result] or {}) do
    list = field.shape[1] == "array" and field.name or list
    is_paged = is_paged or field.name == "more" or field.name == "next"
  end
  return is_paged and list or nil
end

-- Where the next page begins: the name of a parameter and its value; nil if there is no next page.
local function next_page(method, params, result, list)
  if method == "search" then
    return "before", result.next
  end
  local first, last = list[1], list[#list]
  if not (result.more and last) then
    return nil
  elseif method ~= "history" then
    return "after", last.id or last.seq or last.room or last.name
  elseif params.after or params.at or params.around then
    return "after", last.seq
  end
  return "before", first.seq
end

--- Asks for page after page; `callback` gets all items in one list, or nil and an error.
-- A history comes in the order of `seq`, whichever way it is read; without `after`, `at` or
-- `around` it is read back from `before`, or from its end.
-- @param client whose `request` is used
-- @param[opt] most so many items at most; all if absent
-- @return as `request`: nil and an error if nothing was asked
function pages.collect(client, method, params, callback, most)
  local name = list_field(method)
  if not name then
    return nil, errors.new("usage", tostring(method) .. " has no pages")
  end
  local read, count = {}, 0
  local function deliver(backwards)
    local all = {}
    for i = 1, #read do
      for _, item in ipairs(read[backwards and #read + 1 - i or i]) do
        all[#all + 1] = item
      end
    end
    while most and #all > most do
      table.remove(all, backwards and 1 or #all)
    end
    callback(all)
  end
  local function ask(asked)
    return client:request(method, asked, function(result, error)
      if not result then
        return callback(nil, error)
      end
      local list = result[name]
      read[#read + 1] = list
      count = count + #list
      local parameter, from = next_page(method, asked, result, list)
      if from == nil or (most and count >= most) then
        return deliver(method == "history" and not (asked.after or asked.at or asked.around))
      elseif from == asked[parameter] then
        return callback(nil, errors.new("protocol", "the server gives the same page again"))
      end
      local following = {}
      for key, value in pairs(asked) do
        following[key] = value
      end
      following.at, following.around, following[parameter] = nil, nil, from
      local went, why = ask(following)
      if not went then
        callback(nil, why)
      end
    end)
  end
  return ask(params)
end

return pages
