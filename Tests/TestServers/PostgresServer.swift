// MartletTestServers: the servers that run beside the tests, and a place of its own on them for each test.

import Foundation
import Logging
import MartletPostgres
import MartletTestSupport
import Testing

/// The PostgreSQL server that the tests use, at `MARTLET_TEST_POSTGRES_URL`.
public enum PostgresServer {
    /// `nil` where none is configured.
    static let url = ProcessInfo.processInfo.environment["MARTLET_TEST_POSTGRES_URL"].flatMap { $0.isEmpty ? nil : $0 }

    /// Runs `body` with schemas of its own, which are dropped afterwards, however it ends.
    ///
    /// At most sixteen tests do so at a time, since connections are few; within `body` it may be called again. Without a server `body` does
    /// not run: that is said once on standard error, and where `CI` is set it is an issue.
    public static func withSchemas(_ body: (PostgresSchemas) async throws -> Void) async throws {
        guard let url else { return isMissing() }
        let schemas = try PostgresSchemas(url: url, administrator: administrator.get())
        try await withPlace {
            let outcome = await Result { try await body(schemas) }
            // A cancelled test, too, leaves nothing behind.
            try await Task { try await schemas.drop() }.value
            try outcome.get()
        }
    }

    /// The connections that make and drop schemas for every test of the process.
    private static let administrator = Result {
        try PostgresDatabase(
            url: url ?? "", settings: PostgresSettings(poolSize: 4, maxOverflow: 0, pipelines: 0, applicationName: "martlet tests"),
            logger: .silent)
    }

    private static func isMissing() {
        _ = warning
        if let ci = ProcessInfo.processInfo.environment["CI"], !ci.isEmpty { Issue.record(Comment(rawValue: missing)) }
    }

    private static let warning: Void = {
        let line = Array("WARNING: \(missing)\n".utf8)
        _ = write(STDERR_FILENO, line, line.count)
    }()

    private static let missing =
        "PostgreSQL is not configured: tests on it are left out. `make test` starts one; or set MARTLET_TEST_POSTGRES_URL."

    // MARK: Taking turns

    private static let places = Places(16)
    @TaskLocal private static var hasPlace = false

    private static func withPlace(_ body: () async throws -> Void) async throws {
        if hasPlace { return try await body() }
        await places.take()
        let outcome = await Result { try await $hasPlace.withValue(true) { try await body() } }
        await places.giveBack()
        try outcome.get()
    }
}

/// Runs `body` with the URL of an empty PostgreSQL schema of its own; see ``PostgresServer/withSchemas(_:)``.
public func withPostgresSchema(_ body: (String) async throws -> Void) async throws {
    try await PostgresServer.withSchemas { schemas in
        let name = PostgresSchemas.newName()
        try await schemas.create(name)
        try await body(schemas.url(of: name))
    }
}

/// So many may be there at a time; whoever comes first enters first.
private actor Places {
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ count: Int) { free = count }

    func take() async {
        if free > 0 { free -= 1 } else { await withCheckedContinuation { waiting.append($0) } }
    }

    func giveBack() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}
