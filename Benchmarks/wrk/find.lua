-- GET /api/v1/bookmarks/{id}: a point read of one of the known bookmarks.
dofile(os.getenv("BENCH_WRK") .. "/scenario.lua")

function init()
    authorize()
    local paths = {}
    for _, identifier in ipairs(lines_of("BENCH_IDENTIFIERS")) do
        paths[#paths + 1] = "/api/v1/bookmarks/" .. identifier
    end
    request = any_of(paths)
end
