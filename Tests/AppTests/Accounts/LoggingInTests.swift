import MartletApp
import MartletClient
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletSettings
import MartletStorage
import MartletTestKit
import Testing

@testable import MartletIdentity

@Suite(.everyDatabase) struct LoggingIn {
    @Test(arguments: ["ada", "ADA", "Ada", "ada@example.org", "ADA@EXAMPLE.ORG", "  ada "])
    func theNameOrTheAddressIsKnownInAnyCase(_ login: String) async throws {
        try await withApp { app in
            _ = try await app.register()
            let answer = try await app.logIn(login, Registration.password)
            #expect(answer.status == 200)
            #expect(try answer.json()["user"]?["username"] == "ada")
        }
    }

    @Test(arguments: ["Correct horse battery", "correct horse batter", "correct horse battery ", "x"])
    func anotherPasswordIsWrong(_ password: String) async throws {
        try await withApp { app in
            _ = try await app.register()
            let answer = try await app.logIn("ada", password)
            #expect(answer.status == 401)
        }
    }

    @Test(arguments: ["nobody", "nobody@example.org", "ad_", "a%", "' OR 1=1 --", "💥"])
    func anUnknownUserIsRefusedInTheSameWordsAsAWrongPassword(_ unknown: String) async throws {
        try await withApp { app in
            _ = try await app.register()
            let known = try await app.logIn("ada", "not the password")
            let other = try await app.logIn(unknown, "not the password")
            #expect(known.status == 401)
            #expect(try Self.comparable(known) == Self.comparable(other))
        }
    }

    /// Everything of an answer but what names the request: status, body bytes and header fields.
    private static func comparable(_ answer: RawAnswer) throws -> [String] {
        let id = try answer.problem().requestId
        let fields = answer.headers.filter { !["x-request-id", "date"].contains($0.name.lowercased()) }.map { "\($0.name): \($0.value)" }
        return ["\(answer.status)", answer.text.replacing(id, with: "")] + fields
    }

    @Test func anUnknownUserCostsAsManyHashesAsAWrongPassword() async throws {
        try await withApp { app in
            _ = try await app.register()
            let wrong = try await hashes(of: app) { _ = try await app.logIn("ada", "not the password") }
            let unknown = try await hashes(of: app) { _ = try await app.logIn("nobody", "not the password") }
            let unknownAddress = try await hashes(of: app) { _ = try await app.logIn("nobody@example.org", "not the password") }
            #expect([wrong, unknown, unknownAddress] == [1, 1, 1])
        }
    }

    private func hashes(of app: TestApp, during work: () async throws -> Void) async throws -> Int {
        let before = app.hashesComputed
        try await work()
        return app.hashesComputed - before
    }

    /// However long the last one waits: all of them meet at one account and at the end of the audit log.
    @Test func twoHundredAtOnceAllSucceed() async throws {
        try await withApp(change: { $0.requestTimeout = .seconds(120) }) { app in
            _ = try await app.register()
            let login = Login(login: try LoginName("ada"), password: try GivenPassword(Registration.password))
            try await app.withWideClient { client in
                let sessions = try await manyAtOnce(200) { _ in try await client.logIn(login) }
                #expect(Set(sessions.compactMap { $0.refreshToken?.raw }).count == 200)
            }
            #expect(app.hashesComputed == 201)
        }
    }
}

@Suite struct PasswordHashes {
    @Test func callersBeyondTheBoundHearSoAtOnceAndTheOthersAreServed() async throws {
        let hasher = try PasswordHasher(IdentityPolicy.Hashing(memoryKiB: 1024, iterations: 1, concurrency: 1))
        let outcomes = try await manyAtOnce(2000) { _ in
            do {
                return try await hasher.verify("decoy", against: nil) ? "right" : "wrong"
            } catch let failure as Failure where failure.kind == .unavailable {
                return failure.code
            }
        }
        #expect(Set(outcomes) == ["wrong", "too_many_logins"])
        #expect(outcomes.count { $0 == "wrong" } >= PasswordHasher.maximumWaiting)
        #expect(outcomes.count { $0 == "wrong" } == hasher.hashesComputed)
    }

    @Test func thePasswordOfTheDecoyIsNobodys() async throws {
        let hasher = try PasswordHasher(IdentityPolicy.Hashing(memoryKiB: 64, iterations: 1, concurrency: 1))
        #expect(try await !hasher.verify("decoy", against: nil))
    }

    @Test func theSamePasswordHasAnotherHashEachTime() async throws {
        let hasher = try PasswordHasher(IdentityPolicy.Hashing(memoryKiB: 64, iterations: 1, concurrency: 1))
        let (one, two) = (try await hasher.hash("correct horse"), try await hasher.hash("correct horse"))
        #expect(one != two)
        #expect(one.hasPrefix("$argon2id$v=19$m=64,t=1,p=1$"))
        #expect(try await hasher.verify("correct horse", against: two))
    }

    @Test(.everyDatabase) func aHashOfAnotherCostIsReplacedAtTheNextLogin() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        var hashes: [String] = []
        try await withRunningApp(folder.settings(["ARGON2_ITERATIONS": "1"]), folder: folder.path) { app in
            _ = try await app.register()
            hashes.append(try await app.storedHash())
        }
        try await withRunningApp(folder.settings(["ARGON2_ITERATIONS": "2"]), folder: folder.path) { app in
            #expect(try await app.logIn("ada", "not the password").status == 401)
            hashes.append(try await app.storedHash())
            for _ in 1...2 {
                #expect(try await app.logIn("ada", Registration.password).status == 200)
                hashes.append(try await app.storedHash())
            }
        }
        #expect(hashes[0] == hashes[1], "A wrong password must change nothing.")
        #expect(hashes[0].contains(",t=1,") && hashes[2].contains(",t=2,"))
        #expect(hashes[2] == hashes[3], "A hash of the present cost is kept.")
    }
}

extension TestApp {
    /// By all instances.
    fileprivate var hashesComputed: Int {
        instances.flatMap(\.services).compactMap { ($0 as? IdentityService)?.hasher.hashesComputed }.reduce(0, +)
    }

    fileprivate func storedHash() async throws -> String {
        try await app.database.one(String.self, "SELECT password_hash FROM account", else: .notFound("no_account", "There is no account."))
    }
}
