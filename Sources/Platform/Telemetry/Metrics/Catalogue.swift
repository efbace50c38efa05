// Every metric of ours. Handles name them by their text, since most parts of the platform know swift-metrics and not this module; the
// tests compare both.

extension MetricDescription {
    /// All of them, in no order that matters.
    public static let catalogue: [MetricDescription] =
        requests + storage + [
            cacheHits, cacheStaleHits, cacheMisses, cacheJoined, cacheComputed, cacheEvictions, cacheWithheld, cacheEntries, cacheBytes,
            limitDecisions, limitsDegraded, logins,
        ] + admission + jobs + process + watching + [
            eventLoopLag, eventLoopLagWorst, executorLag, executorLagWorst, buildInfo, droppedSeries,
        ]

    // MARK: Requests

    static let requests = [
        MetricDescription(
            "http_server_request_duration_seconds", .histogram, "From a request's arrival until its answer is ready to be written.",
            labels: ["method", "route", "status"], buckets: Buckets.request),
        MetricDescription("http_server_active_requests", .gauge, "Requests that are being answered."),
        MetricDescription(
            "http_server_request_body_size_bytes", .histogram, "Bodies of requests, by their Content-Length.", labels: ["method", "route"],
            buckets: Buckets.bytes),
        MetricDescription(
            "http_server_response_body_size_bytes", .histogram, "Bodies of answers as they are sent, streams left out.",
            labels: ["method", "route"], buckets: Buckets.bytes),
        MetricDescription(
            "martlet_wire_refusals_total", .counter, "Requests refused before they had a route: malformed, too slow, too large.",
            labels: ["status"]),
    ]

    // MARK: Storage

    static let storage = [
        databaseConnections, databaseWaiting, databaseWaits, databaseWaitTime, databaseRefusals,
        MetricDescription(
            "martlet_database_statement_seconds", .histogram, "Statements, without the time in which they waited for a connection.",
            labels: ["kind"], buckets: Buckets.statement),
    ]
    public static let databaseConnections = MetricDescription(
        "martlet_database_connections", .gauge, "Open connections to the database.", labels: ["state"])
    public static let databaseWaiting = MetricDescription(
        "martlet_database_waiting", .gauge, "Calls that wait for a connection, or for their turn to write.")
    public static let databaseWaits = MetricDescription(
        "martlet_database_waits_total", .counter, "Calls that have had to wait for a connection or their turn.")
    public static let databaseWaitTime = MetricDescription(
        "martlet_database_wait_seconds_total", .counter, "How long the calls that wait no more have waited, all together.")
    public static let databaseRefusals = MetricDescription(
        "martlet_database_refusals_total", .counter, "Calls refused because too many were waiting.")

    // MARK: Cache

    public static let cacheHits = MetricDescription(
        "martlet_cache_hits_total", .counter, "Lookups answered from what is kept.", labels: ["tier"])
    public static let cacheStaleHits = MetricDescription(
        "martlet_cache_stale_hits_total", .counter, "Hits served while a new entry was being made.")
    public static let cacheMisses = MetricDescription("martlet_cache_misses_total", .counter, "Lookups that found nothing in any tier.")
    public static let cacheJoined = MetricDescription(
        "martlet_cache_joined_total", .counter, "Callers who got what another one's work computed.")
    public static let cacheComputed = MetricDescription("martlet_cache_computed_total", .counter, "Values that were computed.")
    public static let cacheEvictions = MetricDescription(
        "martlet_cache_evictions_total", .counter, "Entries that left memory: their tag was evicted, or there was no room.",
        labels: ["reason"])
    public static let cacheWithheld = MetricDescription(
        "martlet_cache_withheld_total", .counter, "Lookups not answered from what is kept, since evictions were not heard of for too long.")
    public static let cacheEntries = MetricDescription("martlet_cache_entries", .gauge, "Entries in memory.")
    public static let cacheBytes = MetricDescription("martlet_cache_bytes", .gauge, "What they take.")

    // MARK: Limits and logins

    static let limitDecisions = MetricDescription(
        "martlet_rate_limit_decisions_total", .counter, "Calls counted against a limit, and what came of it.", labels: ["outcome", "rule"])
    public static let limitsDegraded = MetricDescription(
        "martlet_rate_limit_degraded", .gauge, "1 while limits are not shared between instances though they should be.")
    static let logins = MetricDescription("martlet_logins_total", .counter, "Attempts to log in with a password.", labels: ["outcome"])

    // MARK: Overload and outages

    static let admission = [admissionLimit, admissionRunning, admissionQueued, admissionDecisions, breakerOpen]
    public static let admissionLimit = MetricDescription(
        "martlet_admission_limit", .gauge, "How many requests may be worked on at a time, at this moment.")
    public static let admissionRunning = MetricDescription("martlet_admission_running", .gauge, "How many are.")
    public static let admissionQueued = MetricDescription("martlet_admission_queued", .gauge, "How many wait to begin.")
    public static let admissionDecisions = MetricDescription(
        "martlet_admission_decisions_total", .counter, "Requests that began, and those refused for overload.", labels: ["class", "outcome"])
    public static let breakerOpen = MetricDescription(
        "martlet_breaker_open", .gauge, "1 while a dependency is not asked, since it is away or too slow.", labels: ["dependency"])

    // MARK: What tells of everything else

    static let watching = [logLines, logDrops, logQueued, traceSpans, traceFailures, traceQueued]
    public static let logLines = MetricDescription(
        "martlet_log_lines_total", .counter, "Lines of the log that were written.", labels: ["place"])
    public static let logDrops = MetricDescription(
        "martlet_log_dropped_lines_total", .counter, "Lines that were lost: more was logged than could be written, or writing failed.",
        labels: ["place", "reason"])
    public static let logQueued = MetricDescription("martlet_log_queued_lines", .gauge, "Lines that wait to be written.", labels: ["place"])
    public static let traceSpans = MetricDescription(
        "martlet_trace_spans_total", .counter, "Spans that the collector took, and those that were lost.", labels: ["outcome"])
    public static let traceFailures = MetricDescription(
        "martlet_trace_export_failures_total", .counter, "Attempts to send spans that did not succeed.")
    public static let traceQueued = MetricDescription("martlet_trace_queued_spans", .gauge, "Spans that wait to be sent.")

    // MARK: Jobs

    static let jobs = [
        MetricDescription("martlet_jobs_running", .gauge, "Jobs that this process runs."),
        MetricDescription(
            "martlet_jobs_attempts_total", .counter, "Attempts at jobs by this process, and how they ended.", labels: ["kind", "outcome"]),
        MetricDescription(
            "martlet_jobs_attempt_seconds", .histogram, "Attempts at jobs by this process.", labels: ["kind"], buckets: Buckets.job),
        queueDepth, oldestDue, deadJobs,
    ]
    public static let queueDepth = MetricDescription(
        "martlet_jobs_queued", .gauge, "Jobs ready to run, of all instances; beyond 10,000 it says 10,001.", labels: ["queue"])
    public static let oldestDue = MetricDescription(
        "martlet_jobs_oldest_due_seconds", .gauge, "How long the job that has been ready longest has been due.", labels: ["queue"])
    public static let deadJobs = MetricDescription(
        "martlet_jobs_dead", .gauge, "Dead letters, of all instances; beyond 10,000 it says 10,001.")

    // MARK: The process

    static let process = [
        processCPU, processResident, processVirtual, processDescriptors, processMostDescriptors, processThreads, processStart,
    ]
    static let processCPU = MetricDescription("process_cpu_seconds_total", .counter, "Processor time, of user and system.")
    static let processResident = MetricDescription("process_resident_memory_bytes", .gauge, "Memory in use.")
    static let processVirtual = MetricDescription("process_virtual_memory_bytes", .gauge, "Memory addressed.")
    static let processDescriptors = MetricDescription("process_open_fds", .gauge, "Open file descriptors.")
    static let processMostDescriptors = MetricDescription("process_max_fds", .gauge, "The most file descriptors that may be open.")
    static let processThreads = MetricDescription("process_threads", .gauge, "Threads.")
    static let processStart = MetricDescription("process_start_time_seconds", .gauge, "When the process began, since 1970.")

    static let eventLoopLag = MetricDescription(
        "martlet_event_loop_lag_seconds", .histogram, "How long a task stood in line on an event loop, probed every second.",
        buckets: Buckets.lag)
    static let eventLoopLagWorst = MetricDescription(
        "martlet_event_loop_lag_worst_seconds", .gauge, "The longest of the last half minute, one that lasts included.")
    static let executorLag = MetricDescription(
        "martlet_executor_lag_seconds", .histogram, "How long a task stood in line for a thread of Swift's pool, probed every second.",
        buckets: Buckets.lag)
    static let executorLagWorst = MetricDescription(
        "martlet_executor_lag_worst_seconds", .gauge, "The longest of the last half minute, one that lasts included.")
    public static let buildInfo = MetricDescription(
        "martlet_build_info", .info, "Which version this is, and what built it.", labels: ["swift", "version"])
    static let droppedSeries = MetricDescription(
        "martlet_metrics_dropped_series_total", .counter, "Handles whose series was one too many for its name, or of another kind.")
}
