-- GET /health/live: what the server costs when a request needs nothing.
dofile(os.getenv("BENCH_WRK") .. "/scenario.lua")

function init()
    request = any_of({ "/health/live" })
end
