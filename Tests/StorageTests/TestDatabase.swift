import Foundation
import Logging
import MartletSQLite
import MartletStorage
import Synchronization
import Testing

/// An engine the conformance suites run over: adding one to ``all`` runs every `DatabaseConformance` test on it.
struct DatabaseEngine: Sendable, CustomTestStringConvertible {
    let name: String
    /// Gives `body` a database of its own, empty, and removes it afterwards.
    let withDatabase: @Sendable (_ body: @Sendable (any Database) async throws -> Void) async throws -> Void

    var testDescription: String { name }

    static let all: [DatabaseEngine] = [sqlite]

    static let sqlite = DatabaseEngine(name: "SQLite") { body in
        try await withSQLite { database, _ in try await body(database) }
    }
}

/// Gives `body` a new SQLite database and its path, and removes the file afterwards.
func withSQLite(
    _ settings: SQLiteSettings = SQLiteSettings(), logger: Logger = .silent,
    _ body: @Sendable (SQLiteDatabase, String) async throws -> Void
) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-storage-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let path = folder.appendingPathComponent("test.sqlite").path
    let database = try SQLiteDatabase(path: path, settings: settings, logger: logger)
    let outcome: Result<Void, any Error>
    do { outcome = .success(try await body(database, path)) } catch { outcome = .failure(error) }
    await database.close()
    try FileManager.default.removeItem(at: folder)
    try outcome.get()
}

extension Database {
    func run(_ script: String) async throws {
        try await schemaTransaction { try await $0.run(script: script) }
    }

    func count(_ table: String) async throws -> Int? {
        try await first(Int.self, "SELECT count(*) FROM \(unsafeRaw: table)")
    }
}

extension Logger {
    static let silent = Logger(label: "silent") { _ in SwiftLogNoOpLogHandler() }
}

/// Keeps what was logged.
final class LogRecorder: LogHandler, Sendable {
    struct Line: Sendable {
        let level: Logger.Level
        let message: String
        let metadata: [String: String]
    }

    private let kept = Mutex<[Line]>([])
    var lines: [Line] { kept.withLock { $0 } }
    var logger: Logger { Logger(label: "test") { _ in self } }

    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    var logLevel: Logger.Level {
        get { .trace }
        set {}
    }
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) {
        let metadata = (event.metadata ?? [:]).mapValues { "\($0)" }
        kept.withLock { $0.append(Line(level: event.level, message: "\(event.message)", metadata: metadata)) }
    }
}

/// Opens once; whoever waits meanwhile goes on then.
actor Gate {
    private var isOpen = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func open() {
        isOpen = true
        for waiter in waiting { waiter.resume() }
        waiting = []
    }

    func wait() async {
        if !isOpen { await withCheckedContinuation { waiting.append($0) } }
    }
}
