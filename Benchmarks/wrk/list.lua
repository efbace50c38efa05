-- GET /api/v1/bookmarks?limit=50: the first page.
dofile(os.getenv("BENCH_WRK") .. "/scenario.lua")

function init()
    authorize()
    request = any_of({ "/api/v1/bookmarks?limit=50" })
end
