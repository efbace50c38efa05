import MartletCache
import MartletHTTP
import MartletJobs
import MartletOverload
import MartletRateLimit
import MartletRedis
import MartletSettings
import MartletStorage
import MartletTelemetry
import Metrics
import Synchronization

// What is measured elsewhere, added to each scrape, and who may read it.

extension MetricRegistry {
    /// Adds what the database says of its connections.
    func watch(_ database: any Database) {
        onScrape { scrape in
            let load = database.load
            scrape.set(.databaseConnections, MetricLabel("state", "in_use"), to: load.inUse)
            scrape.set(.databaseConnections, MetricLabel("state", "idle"), to: max(0, load.connections - load.inUse))
            scrape.set(.databaseWaiting, to: load.waiting)
            scrape.set(.databaseWaits, to: load.waited)
            scrape.set(.databaseWaitTime, to: load.waitedTime / .seconds(1))
            scrape.set(.databaseRefusals, to: load.refused)
        }
    }

    /// Adds what a cache has done.
    func watch(_ cache: Cache) {
        onScrape { scrape in
            let statistics = cache.statistics
            scrape.set(.cacheHits, MetricLabel("tier", "memory"), to: statistics.memoryHits)
            scrape.set(.cacheHits, MetricLabel("tier", "shared"), to: statistics.sharedHits)
            scrape.set(.cacheStaleHits, to: statistics.staleHits)
            scrape.set(.cacheMisses, to: statistics.misses)
            scrape.set(.cacheJoined, to: statistics.joined)
            scrape.set(.cacheComputed, to: statistics.computed)
            scrape.set(.cacheEvictions, MetricLabel("reason", "tag"), to: statistics.evicted)
            scrape.set(.cacheEvictions, MetricLabel("reason", "room"), to: statistics.displaced)
            scrape.set(.cacheWithheld, to: statistics.withheld)
            scrape.set(.cacheEntries, to: statistics.entries)
            scrape.set(.cacheBytes, to: statistics.bytes)
        }
    }

    func watch(_ limiter: any RateLimiter) {
        onScrape { $0.set(.limitsDegraded, to: limiter.degradation == .degraded ? 1 : 0) }
    }

    /// Adds which dependencies are not asked at the moment.
    func watch(_ shared: SharedStore, _ cache: Cache) {
        guard let redis = shared.redis else { return }
        onScrape { scrape in
            scrape.set(.breakerOpen, MetricLabel("dependency", "redis"), to: redis.isAvailable ? 0 : 1)
            scrape.set(.breakerOpen, MetricLabel("dependency", "shared_cache"), to: cache.isAlone ? 1 : 0)
        }
    }

    func watch(_ admission: Admission) {
        onScrape { scrape in
            let statistics = admission.statistics
            scrape.set(.admissionLimit, to: statistics.limit)
            scrape.set(.admissionRunning, to: statistics.running)
            scrape.set(.admissionQueued, to: statistics.queued)
            for (outcome, counts) in [("admitted", statistics.admitted), ("refused", statistics.refused)] {
                for (kind, count) in counts {
                    let labels = (MetricLabel("class", declared: "\(kind)"), MetricLabel("outcome", declared: outcome))
                    scrape.set(.admissionDecisions, labels.0, labels.1, to: count)
                }
            }
        }
    }

    func watch(_ logs: Logs) {
        onScrape { scrape in
            for statistics in logs.statistics {
                let place = MetricLabel("place", declared: statistics.place.rawValue)
                scrape.set(.logLines, place, to: statistics.writtenLines)
                scrape.set(.logDrops, place, MetricLabel("reason", "full"), to: statistics.droppedWhenFull.values.reduce(0, +))
                scrape.set(.logDrops, place, MetricLabel("reason", "unwritable"), to: statistics.droppedWhenUnwritable.values.reduce(0, +))
                scrape.set(.logQueued, place, to: statistics.queuedLines)
            }
        }
    }

    func watch(_ exporter: TraceExporter) {
        onScrape { scrape in
            let statistics = exporter.statistics
            scrape.set(.traceSpans, MetricLabel("outcome", "exported"), to: statistics.exported)
            scrape.set(.traceSpans, MetricLabel("outcome", "dropped"), to: statistics.dropped)
            scrape.set(.traceFailures, to: statistics.failed)
            scrape.set(.traceQueued, to: statistics.queued)
        }
    }

    /// Adds how much work waits, as it was known a moment ago; nothing while the database is away.
    func watch(_ backlog: BacklogWatch) {
        onScrape { scrape in
            guard let latest = backlog.latest else { return }
            for queue in latest.queues {
                scrape.set(.queueDepth, MetricLabel("queue", declared: queue.name), to: queue.ready)
                scrape.set(.oldestDue, MetricLabel("queue", declared: queue.name), to: (queue.oldestDue ?? .zero) / .seconds(1))
            }
            scrape.set(.deadJobs, to: latest.dead)
        }
    }

    /// Adds what the system says of the process, and what was built.
    func watchProcess() {
        let facts = ProcessFacts()
        onScrape { scrape in
            facts.collect(into: &scrape)
            scrape.set(
                .buildInfo, MetricLabel("version", declared: App.version), MetricLabel("swift", App.compiler), to: 1)
        }
    }
}

extension App {
    /// Adds what is measured elsewhere to each scrape.
    func watchEverything(_ backlog: BacklogWatch) {
        metrics.watch(database)
        metrics.watch(cache)
        metrics.watch(shared.limiter)
        metrics.watch(shared, cache)
        metrics.watch(backlog)
        metrics.watch(logs)
        if let admission { metrics.watch(admission) }
        if let traceExporter { metrics.watch(traceExporter) }
        metrics.watchProcess()
    }

    /// Lets libraries that know swift-metrics count here too. Once in a process, before they are used.
    public func adoptLibraries() { MetricsSystem.bootstrap(metrics) }

    static var compiler: StaticString {
        #if compiler(>=6.4)
        "6.4 or later"
        #elseif compiler(>=6.3)
        "6.3"
        #else
        "6.2"
        #endif
    }
}

extension MetricsPage {
    /// `nil` where none is served.
    init?(_ settings: Settings, _ registry: MetricRegistry) {
        guard settings.metrics else { return nil }
        let isOpen = settings.environment.isLocal
        self.init(
            registry,
            readers: settings.metricsToken.map { .bearers(of: $0.unsafeRevealBytes()) } ?? (isOpen ? .everyone : .neighbours))
    }
}
