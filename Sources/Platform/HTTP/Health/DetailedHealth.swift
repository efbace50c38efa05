public import Foundation
import MartletContract

/// What an operator looks at first, of one instance.
public struct DetailedHealth: Codable, Sendable {
    public var status: Status
    public var degraded: [Health.Part]
    public var version: String
    public var environment: String
    public var startedAt: Date
    public var uptimeSeconds: Int
    public var database: Database
    public var schema: Schema
    public var redis: PartHealth
    public var cache: Cache
    public var disk: Disk?
    /// Absent where the system does not tell.
    public var process: Process?
    /// Dependencies that are not asked at the moment, since they were away or too slow.
    public var openBreakers: [Breaker]

    public enum Status: String, Codable, Sendable, CaseIterable {
        case ok, degraded
        /// Requests should go elsewhere: the database is away, or its schema is not what the program needs.
        case unavailable
        /// The instance is shutting down.
        case draining
    }

    public struct Database: Codable, Sendable {
        public var engine: String
        public var health: PartHealth
        /// Open connections, idle ones included.
        public var connections: Int
        public var inUse: Int
        /// Calls that wait for a connection, or for their turn to write.
        public var waiting: Int
        /// Calls that were refused since the start because too many were waiting.
        public var refused: Int

        public init(engine: String, health: PartHealth, connections: Int, inUse: Int, waiting: Int, refused: Int) {
            (self.engine, self.health, self.connections) = (engine, health, connections)
            (self.inUse, self.waiting, self.refused) = (inUse, waiting, refused)
        }
    }

    /// Whether the database has what the program needs.
    public enum Schema: String, Codable, Sendable, CaseIterable {
        case current
        /// Migrations are missing.
        case older
        /// A later release has migrated it already, which this one can live with.
        case newer
        /// Migrations were changed after they ran.
        case edited
        /// The database did not tell.
        case unknown
    }

    /// What is kept in this process's memory.
    public struct Cache: Codable, Sendable {
        public var entries: Int
        public var bytes: Int
        public var hits: Int
        public var misses: Int

        public init(entries: Int, bytes: Int, hits: Int, misses: Int) {
            (self.entries, self.bytes, self.hits, self.misses) = (entries, bytes, hits, misses)
        }
    }

    /// The file system on which the data of this machine lies.
    public struct Disk: Codable, Sendable {
        public var freeBytes: Int
        public var totalBytes: Int

        public init(freeBytes: Int, totalBytes: Int) {
            (self.freeBytes, self.totalBytes) = (freeBytes, totalBytes)
        }
    }

    /// What the process that answers takes.
    public struct Process: Codable, Sendable {
        public var memoryBytes: Int
        /// Files, sockets and the like.
        public var openDescriptors: Int
        /// How many may be open; absent where there is no limit.
        public var mostDescriptors: Int?

        public init(memoryBytes: Int, openDescriptors: Int, mostDescriptors: Int?) {
            (self.memoryBytes, self.openDescriptors, self.mostDescriptors) = (memoryBytes, openDescriptors, mostDescriptors)
        }
    }

    /// What may be left alone for a while.
    public enum Breaker: String, Codable, Sendable, CaseIterable {
        case redis
        case sharedCache = "shared_cache"
    }

    public init(
        status: Status, degraded: [Health.Part], version: String, environment: String, startedAt: Date, uptimeSeconds: Int,
        database: Database, schema: Schema, redis: PartHealth, cache: Cache, disk: Disk?, process: Process?,
        openBreakers: [Breaker]
    ) {
        (self.status, self.degraded, self.version, self.environment) = (status, degraded, version, environment)
        (self.startedAt, self.uptimeSeconds) = (startedAt, uptimeSeconds)
        (self.database, self.schema, self.redis, self.cache, self.disk) = (database, schema, redis, cache, disk)
        (self.process, self.openBreakers) = (process, openBreakers)
    }
}
