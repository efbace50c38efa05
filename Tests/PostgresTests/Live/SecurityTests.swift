import Logging
import MartletCore
import MartletPostgres
import MartletStorage
import MartletTestSupport
import Synchronization
import Testing

struct SecurityTests {
    @Test func tlsIsUsedAndTheServerIsWhoItShouldBe() async throws {
        try await SecureServer.run { server in
            for url in [
                server.url(mode: "require"), server.url(mode: "verify-ca", root: "root"), server.url(mode: "verify-full", root: "root"),
                server.url(host: "127.0.0.1", mode: "verify-ca", root: "root"),
            ] {
                let isEncrypted = try await with(url) { db in
                    try await db.first(Bool.self, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
                }
                #expect(isEncrypted == true)
            }
            let refused = [
                server.url(mode: "verify-full", root: "other-root"), server.url(mode: "verify-ca", root: "other-root"),
                server.url(host: "127.0.0.1", mode: "verify-full", root: "root"), server.url(mode: "verify-full", root: "missing"),
            ]
            for url in refused {
                let failure = try await unavailable { try await with(url) { _ = try await $0.first(Int.self, "SELECT 1") } }
                #expect(failure.code == "database_unavailable" && failure.state == "08001")
            }
        }
    }

    @Test func aWrongPasswordIsUnavailableAndNowhereToBeRead() async throws {
        try await SecureServer.run { server in
            let wrong = "wrong-4711-password"
            let log = LogRecorder()
            let url = server.url(mode: "require", password: wrong)
            let db = try PostgresDatabase(url: url, logger: log.logger)
            for _ in 0..<3 {
                let statement = try await unavailable { _ = try await db.first(Int.self, "SELECT 1") }
                let transaction = try await unavailable { try await db.transaction { _ = try await $0.first(Int.self, "SELECT 1") } }
                for failure in [statement, transaction] {
                    var shown = "\(failure) \(String(reflecting: failure))"
                    dump(failure, to: &shown)
                    #expect(!shown.contains("4711"))
                }
            }
            await db.close()
            let right = try await with(server.url(mode: "require")) { try await $0.first(Int.self, "SELECT 1") }
            #expect(right == 1)
            #expect(log.lines.contains { $0.message.contains("cannot be reached") })
            #expect(!log.lines.contains { "\($0)".contains("4711") })
        }
    }

    @Test(arguments: [
        "postgresql://u:s3cret-4711%ZZ@host/db", "postgresql://u:s3cret-4711@[::1/db",
        "postgresql://u:s3cret-4711@host/db?nonsense=1", "postgresql://u@host/db?password=s3cret-4711&nonsense", "4711",
    ])
    func aURLThatCannotBeReadIsRefusedWithoutItsPassword(url: String) throws {
        let error = #expect(throws: (any Error).self) { try PostgresDatabase(url: url, logger: .silent) }
        var shown = "\(error.map { String(reflecting: $0) } ?? "")"
        dump(error, to: &shown)
        #expect(!shown.contains("4711"))
    }

    private func with<Result: Sendable>(_ url: String, _ body: (PostgresDatabase) async throws -> Result) async throws -> Result {
        let db = try PostgresDatabase(url: url, settings: .unshared(1), logger: .silent)
        do {
            let result = try await body(db)
            await db.close()
            return result
        } catch {
            await db.close()
            throw error
        }
    }
}
