-- What the scenarios share. Everything a request needs is prepared in init(), so that the load generator stays out of the way.

local folder = os.getenv("BENCH_WRK")
dofile(folder .. "/report.lua")

local threads = 0

function setup(thread)
    thread:set("number", threads)
    threads = threads + 1
end

function authorize()
    wrk.headers["Authorization"] = "Bearer " .. os.getenv("BENCH_TOKEN")
end

-- The lines of a file that bench.py wrote.
function lines_of(variable)
    local lines = {}
    for line in io.lines(os.getenv(variable)) do
        lines[#lines + 1] = line
    end
    return lines
end

-- A request() that picks among GETs of these paths, each built once.
function any_of(paths)
    math.randomseed(os.time() + number)
    local requests = {}
    for index, path in ipairs(paths) do
        requests[index] = wrk.format("GET", path)
    end
    local count = #requests
    return function()
        return requests[math.random(count)]
    end
end
