-- POST /api/v1/bookmarks: every link is new; its number is unique by run, thread and count.
dofile(os.getenv("BENCH_WRK") .. "/scenario.lua")

local count = 0

function init()
    authorize()
    wrk.headers["Content-Type"] = "application/json"
    prefix = '{"url":"https://example.org/saved/' .. os.getenv("BENCH_RUN") .. "-" .. number .. "-"
end

function request()
    count = count + 1
    local body = prefix .. count .. '","title":"A page that was just read","category":"reading","tags":["swift","server"]}'
    return wrk.format("POST", "/api/v1/bookmarks", nil, body)
end
