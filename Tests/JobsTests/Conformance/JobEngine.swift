import Foundation
import Logging
import MartletCore
import MartletJobs
import MartletPostgres
import MartletSQLite
import MartletStorage
import MartletTestServers
import MartletTestSupport
import Synchronization
import Testing

/// A database engine that the jobs' tests run on.
struct JobEngine: Sendable, CustomTestStringConvertible {
    let name: String
    /// Gives `body` a way to open an empty database, as often as it wants instances.
    let withOpening: @Sendable (_ body: @Sendable (_ open: @Sendable () throws -> any Database) async throws -> Void) async throws -> Void

    var testDescription: String { name }

    static let all = [sqlite, postgres]

    static let sqlite = JobEngine(name: "SQLite") { body in
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-jobs-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let outcome = await Result {
            try await body { try SQLiteDatabase(path: folder.appendingPathComponent("jobs.sqlite").path, logger: .silent) }
        }
        try FileManager.default.removeItem(at: folder)
        try outcome.get()
    }

    static let postgres = JobEngine(name: "PostgreSQL") { body in
        try await withPostgresSchema { url in
            try await body { try PostgresDatabase(url: url, settings: PostgresSettings(poolSize: 4, maxOverflow: 4), logger: .silent) }
        }
    }

    /// Gives `body` as many instances as it wants on one database, and a clock that it sets.
    func run(instances count: Int = 1, _ body: @Sendable ([Instance]) async throws -> Void) async throws {
        try await withOpening { open in
            let time = TestTime()
            var instances: [Instance] = []
            for _ in 0..<count { instances.append(Instance(database: try open(), time: time)) }
            let outcome = await Result {
                _ = try await Migrator(instances[0].database, Outbox.migrations + JobTables.migrations + Instance.migrations).apply()
                try await body(instances)
            }
            for instance in instances { await instance.database.close() }
            try outcome.get()
        }
    }

    func run(_ body: @Sendable (Instance) async throws -> Void) async throws {
        try await run(instances: 1) { try await body($0[0]) }
    }
}

/// The time of a test; it stands still unless it is moved on.
final class TestTime: Sendable {
    private let moment = Mutex(Date(timeIntervalSince1970: 1_800_000_000))

    var clock: WallClock { WallClock { self.moment.withLock { $0 } } }
    var now: Date { clock.now }
    func advance(by duration: Duration) { moment.withLock { $0 += duration / .seconds(1) } }
}

/// A process that shares the database with others.
struct Instance: Sendable {
    let database: any Database
    let time: TestTime

    /// So long that no test takes a part of it by the real clock, by which workers renew theirs.
    static let lease = Duration.seconds(3_600)

    static let migrations = [
        Migration("test/0001-effect", .same("CREATE TABLE effect (name TEXT NOT NULL)"))
    ]

    var jobs: Jobs { Jobs(clock: .chosen(time.clock)) }
    var register: JobRegister { JobRegister(database, clock: .chosen(time.clock)) }

    func worker(
        _ handlers: [JobHandler], schedules: [ScheduledJob] = [], queues: [JobQueue] = [], clock: JobClock? = nil,
        settings: JobWorker.Settings = .init(lease: Instance.lease), logger: Logger = .silent
    ) -> JobWorker {
        JobWorker(
            database, jobs: clock.map { Jobs(clock: $0) } ?? jobs, handlers: handlers, schedules: schedules, queues: queues,
            settings: settings, logger: logger)
    }

    @discardableResult
    func enqueue<Kind: Job>(
        _ job: Kind, for owner: Identifier<Account>? = nil, after delay: Duration? = nil, priority: JobPriority? = nil
    ) async throws -> Enqueued {
        try await database.transaction { try await jobs.enqueue(job, for: owner, after: delay, priority: priority, in: $0) }
    }

    var effects: [String] {
        get async throws { try await database.all(String.self, "SELECT name FROM effect ORDER BY name") }
    }
}

/// A job that does what the test says.
struct Errand: Job {
    static let name = "test.errand"
    let name: String

    typealias Does = @Sendable (Errand, Work<Errand>) async throws -> Outcome
    func run(_ work: Work<Errand>, with does: @escaping Does) async throws -> Outcome { try await does(self, work) }
}
