-- What every scenario ends with: one line of JSON for bench.py. Latencies are microseconds; an error is any answer of 400 or more
-- (wrk counts those itself, which is cheaper than a response() of ours) and any trouble with a connection.

function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        'RESULT {"requests": %d, "microseconds": %d, "bytes": %d, "p50": %d, "p90": %d, "p99": %d, "max": %d, '
            .. '"error_statuses": %d, "connect": %d, "read": %d, "write": %d, "timeout": %d}\n',
        summary.requests, summary.duration, summary.bytes,
        latency:percentile(50), latency:percentile(90), latency:percentile(99), latency.max,
        errors.status, errors.connect, errors.read, errors.write, errors.timeout))
end
