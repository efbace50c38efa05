import HTTPTypes
import MartletApp
import MartletContract
import MartletCore
import MartletHTTP
import MartletIdentityAPI
import MartletStorage
import MartletTestKit
import MartletTestServers
import Synchronization
import Testing

@testable import MartletIdentity

@Suite("What a key costs the database", .oneInstance) struct ReadingAPIKeys {
    @Test func isOneLookHoweverManyCome() async throws {
        try await withApp { app in
            let (key, counted) = (try await app.newKey(try await app.token()).key.raw, try CountedKeys(app))
            let callers = try await manyAtOnce(200) { _ in try await counted.caller(key) }
            #expect(Set(callers).count == 1 && callers.first?.permissions == ["bookmarks:read", "bookmarks:write"])
            #expect(counted.statements == 2, "The key, and its owner's roles.")
            for _ in 0..<50 { _ = try await counted.caller(key) }
            #expect(counted.statements == 2)
        }
    }

    @Test func isNothingForOneThatIsMistyped() async throws {
        try await withApp { app in
            let (key, counted) = (try await app.newKey(try await app.token()).key.raw, try CountedKeys(app))
            for wrong in [String(key.dropLast()), key + "x", String(key.dropLast()) + (key.last == "x" ? "y" : "x"), "mk_guess"] {
                await #expect(throws: Failure.self) { try await counted.caller(wrong) }
            }
            #expect(counted.statements == 0)
            await #expect(throws: Failure.self) { try await counted.caller(APIKeySecret.example) }
            #expect(counted.statements == 1)
        }
    }

    @Test func isAnotherLookAfterAMinute() async throws {
        let clock = MovableClock()
        try await withApp(clock: clock.reading) { app in
            let (key, counted) = (try await app.newKey(try await app.token()).key.raw, try CountedKeys(app, clock.reading))
            for (seconds, statements) in [(0, 2), (59, 2), (1, 4), (30, 4)] {
                clock.advance(by: .seconds(seconds))
                _ = try await counted.caller(key)
                #expect(counted.statements == statements)
            }
        }
    }

    @Test func isAnotherLookWhenSomethingHasChanged() async throws {
        try await withApp { app in
            let token = try await app.token()
            let (key, counted) = (try await app.newKey(token), try CountedKeys(app))
            _ = try await counted.caller(key.key.raw)
            #expect(try await app.rotateKey(key.id, token).status == 201)
            for _ in 0..<50 { _ = try await counted.caller(key.key.raw) }
            // The instance hears of what it did itself by the outbox, too.
            #expect((4...6).contains(counted.statements))
            #expect(try await app.revokeKey(key.id, token).status == 204)
            await #expect(throws: Failure.self) { try await counted.caller(key.key.raw) }
        }
    }
}

/// Asks for callers as an app does, by a database that counts what it is asked.
private struct CountedKeys {
    private let database: CountingDatabase
    private let keys: KeyAuthentication

    init(_ app: TestApp, _ clock: WallClock = .system) throws {
        let identity = try #require(app.app.services.lazy.compactMap { $0 as? IdentityService }.first)
        database = CountingDatabase(app.app.database)
        keys = KeyAuthentication(Nobody(), KeyReader(database, App.roles, identity.policy), denylist: identity.denylist, clock: clock)
    }

    var statements: Int { database.statements.withLock { $0 } }

    func caller(_ key: String) async throws -> Caller {
        var request = HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/")
        request.headerFields[.authorization] = "Bearer \(key)"
        return try #require(try await keys.caller(of: request))
    }
}

private struct Nobody: Authenticator {
    func caller(of request: HTTPRequest) async throws -> Caller? { nil }
}

private final class CountingDatabase: ForwardingDatabase {
    let inner: any Database
    let statements = Mutex(0)

    init(_ inner: any Database) { self.inner = inner }

    func all<Row: Decodable & Sendable>(_ row: Row.Type, _ sql: SQL) async throws -> [Row] {
        statements.withLock { $0 += 1 }
        return try await inner.all(row, sql)
    }

    func first<Row: Decodable & Sendable>(_ row: Row.Type, _ sql: SQL) async throws -> Row? {
        statements.withLock { $0 += 1 }
        return try await inner.first(row, sql)
    }
}
