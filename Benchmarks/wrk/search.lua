-- GET /api/v1/search/text?q=…: one or two words out of the loaded titles and notes.
dofile(os.getenv("BENCH_WRK") .. "/scenario.lua")

function init()
    authorize()
    local paths = {}
    for _, query in ipairs(lines_of("BENCH_QUERIES")) do
        paths[#paths + 1] = "/api/v1/search/text?q=" .. query:gsub(" ", "%%20")
    end
    request = any_of(paths)
end
