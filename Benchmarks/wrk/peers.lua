-- The peers' own wrk.lua, kept beside this file as wrk.standard.lua, and links that no request before has had: we refuse to save one twice.
local folder = debug.getinfo(1, "S").source:match("^@(.*)/")
dofile(folder .. "/wrk.standard.lua")

local prepared = request
local mark = string.rep("x", 46)
local run = io.lines("/proc/sys/kernel/random/uuid")()
local count = 0

local function request_with_new_link()
    local text = prepared()
    local first, last = text:find(mark, 1, true)
    if not first then return text end
    count = count + 1
    return text:sub(1, first - 1) .. run .. string.format("-%09d", count) .. text:sub(last + 1)
end

if (os.getenv("WL_BODIES") or "") ~= "" then
    request = request_with_new_link
end
