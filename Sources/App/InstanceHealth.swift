import Foundation
import MartletCache
import MartletCore
import MartletHTTP
import MartletRateLimit
import MartletRedis
import MartletSettings
import MartletStorage
import MartletTelemetry
import MartletWire

/// How this instance is, for the health endpoints.
struct InstanceHealth: HealthChecks {
    private let settings: Settings
    private let store: any Database
    private let shared: SharedStore
    private let cache: Cache
    private let draining: Draining
    private let startedAt = Date()
    private let start = ContinuousClock.now
    private let databaseProbe: Probe<Void>
    private let schemaProbe: Probe<SchemaState>
    private let redisProbe: Probe<Void>?

    init(_ settings: Settings, _ database: any Database, _ shared: SharedStore, _ cache: Cache, _ draining: Draining) {
        (self.settings, store, self.shared, self.cache, self.draining) = (settings, database, shared, cache, draining)
        databaseProbe = Probe(of: "The database") { try await database.check() }
        // Schemas change seldom: when a release is rolled out, and when a backup is restored.
        schemaProbe = Probe(of: "The database", goodFor: .seconds(5)) { try await Migrator(database, App.migrations).state() }
        redisProbe = shared.redis.map { redis in Probe(of: "Redis") { _ = try await redis.send(["PING"]) } }
    }

    func ready() async throws {
        guard !draining.isDraining || draining.isRetiring else {
            throw Failure.unavailable("shutting_down", "This instance is shutting down.")
        }
        try await database()
        switch try await schemaProbe.answer() {
        case .current, .newer: break
        case .older: throw Failure.unavailable("schema_older", "The database is older than this program.")
        case .edited: throw Failure.unavailable("schema_edited", "The database was migrated otherwise than this program expects.")
        }
    }

    var degraded: [Health.Part] {
        (shared.limiter.degradation == .degraded ? [.rateLimit] : []) + (cache.isAlone ? [.cache] : [])
    }

    func database() async throws { try await databaseProbe.answer() }

    func redis() async throws -> Bool {
        guard let redisProbe else { return false }
        try await redisProbe.answer()
        return true
    }
}

// MARK: Details

extension InstanceHealth {
    func detailed() async -> DetailedHealth {
        async let database = PartHealth.asked {
            try await self.database()
            return true
        }
        async let redis = PartHealth.asked { try await self.redis() }
        let schema = (try? await schemaProbe.answer()).flatMap { DetailedHealth.Schema(rawValue: $0.rawValue) } ?? .unknown
        return DetailedHealth(
            status: status(await database, schema), degraded: degraded, version: App.version, environment: settings.environment.rawValue,
            startedAt: startedAt, uptimeSeconds: Int((ContinuousClock.now - start).components.seconds), database: load(await database),
            schema: schema, redis: await redis, cache: kept, disk: disk, process: process,
            openBreakers: openBreakers)
    }

    private func status(_ database: PartHealth, _ schema: DetailedHealth.Schema) -> DetailedHealth.Status {
        if draining.isDraining { return .draining }
        guard database.status == .ok, schema == .current || schema == .newer else { return .unavailable }
        return degraded.isEmpty ? .ok : .degraded
    }

    private func load(_ health: PartHealth) -> DetailedHealth.Database {
        let load = store.load
        return DetailedHealth.Database(
            engine: store.dialect.rawValue, health: health, connections: load.connections, inUse: load.inUse, waiting: load.waiting,
            refused: load.refused)
    }

    private var kept: DetailedHealth.Cache {
        let statistics = cache.statistics
        return DetailedHealth.Cache(
            entries: statistics.entries, bytes: statistics.bytes, hits: statistics.memoryHits + statistics.sharedHits,
            misses: statistics.misses)
    }

    private var process: DetailedHealth.Process? {
        let facts = ProcessFacts()
        guard let memory = facts.residentBytes, let open = facts.openDescriptors else { return nil }
        return DetailedHealth.Process(
            memoryBytes: Int(memory), openDescriptors: Int(open), mostDescriptors: facts.mostDescriptors.flatMap { Int(exactly: $0) })
    }

    private var openBreakers: [DetailedHealth.Breaker] {
        (shared.redis.map { !$0.isAvailable } == true ? [.redis] : []) + (cache.isAlone ? [.sharedCache] : [])
    }

    /// `nil` where the system does not tell.
    private var disk: DetailedHealth.Disk? {
        guard let facts = try? FileManager.default.attributesOfFileSystem(forPath: folder),
            let free = facts[.systemFreeSize] as? NSNumber, let total = facts[.systemSize] as? NSNumber
        else { return nil }
        return DetailedHealth.Disk(freeBytes: Int(clamping: free.int64Value), totalBytes: Int(clamping: total.int64Value))
    }

    /// Where the database's file lies, or else the process's own.
    private var folder: String {
        guard case .sqlite(let path) = settings.databaseURL else { return FileManager.default.currentDirectoryPath }
        return URL(fileURLWithPath: path).deletingLastPathComponent().path
    }
}

extension PartHealth {
    /// Like ``timed(_:)``, with an answer also where there is none.
    fileprivate static func asked(_ check: () async throws -> Bool) async -> PartHealth {
        do { return try await timed(check) } catch { return PartHealth(status: .unavailable) }
    }
}
