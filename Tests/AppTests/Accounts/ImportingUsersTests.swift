import Foundation
import MartletApp
import MartletClient
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletSettings
import MartletStorage
import MartletTestKit
import MartletTestSupport
import Synchronization
import Testing

@testable import MartletIdentity

@Suite(.everyDatabase) struct ImportingUsers {
    private static let bcrypt = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"

    /// - Parameter more: Further members, each after a comma.
    private static func line(_ name: String, hash: String = bcrypt, more: String = "") -> String {
        #"{"email": "\#(name)@example.org", "username": "\#(name)", "password_hash": "\#(hash)"\#(more)}"#
    }

    @Test(arguments: HashesOfImportedAccounts.vectors.filter { !$0.password.hasPrefix("U*U*") })
    func logInWithTheirPasswordAndHaveAHashOfOursFromThenOn(_ vector: HashesOfImportedAccounts.Vector) async throws {
        try await withApp { app in
            let report = try await app.importUsers([Self.line("ada", hash: vector.hash)])
            #expect(report.added == 1 && report.lines == 1)
            #expect(try await app.logIn("ada", "not the password").status == 401)
            #expect(try await app.hash(of: "ada") == vector.hash, "A wrong password must change nothing.")
            #expect(try await app.logIn("ada", vector.password).status == 200)
            let upgraded = try await app.hash(of: "ada")
            let knowsAll = vector.password.utf8.count <= 72
            #expect(upgraded.hasPrefix("$argon2id$") == knowsAll)
            for _ in 0..<2 { #expect(try await app.logIn("ada@example.org", vector.password).status == 200) }
            #expect(try await app.hash(of: "ada") == upgraded)
            #expect(try await app.logIn("ada", "not the password").status == 401)
        }
    }

    @Test func manyLoginsAtOnceUpgradeOnce() async throws {
        try await withApp { app in
            _ = try await app.importUsers([Self.line("ada")])
            let statuses = try await manyAtOnce(20) { _ in try await app.logIn("ada", "U*U").status }
            #expect(Set(statuses) == [200])
            #expect(try await app.hash(of: "ada").hasPrefix("$argon2id$"))
            #expect(try await app.logIn("ada", "U*U").status == 200)
        }
    }

    @Test func anUpgradeReplacesOnlyTheHashThatWasChecked() async throws {
        try await withApp { app in
            _ = try await app.importUsers([Self.line("ada")])
            let store = AccountStore(app.app.database)
            let id = try #require(try await store.credentials(for: "ada")).user.id
            try await store.replaceHash(of: id, Self.bcrypt, by: "of a new password")
            try await store.replaceHash(of: id, Self.bcrypt, by: "of the old password")
            #expect(try await app.hash(of: "ada") == "of a new password")
        }
    }

    @Test func keepWhatIsKnownOfThem() async throws {
        try await withApp { app in
            _ = try await app.importUsers([
                Self.line("ada", more: #", "name": "Ada \"'; DROP TABLE account; --", "created_at": "2024-05-01T08:00:00Z""#),
                Self.line("bob"),
            ])
            let user = try await app.logIn("ada", "U*U").json()["user"]
            #expect(user?["name"] == #"Ada "'; DROP TABLE account; --"#)
            #expect(user?["created_at"] == "2024-05-01T08:00:00Z")
            #expect(try await app.logIn("bob", "U*U").json()["user"]?["name"] == nil)
        }
    }

    @Test func whoIsThereAlreadyIsSkippedAndCounted() async throws {
        try await withApp { app in
            _ = try await app.register()
            let lines = ["ADA", "bob", "Bob", "carol"].map { Self.line($0) }
            #expect(try await app.importUsers(lines) == .init(lines: 4, added: 2, duplicates: 2, refused: 0))
            #expect(try await app.importUsers(lines) == .init(lines: 4, added: 0, duplicates: 4, refused: 0))
            #expect(try await app.logIn("ada", Registration.password).status == 200)
        }
    }

    @Test func aDryRunChangesNothing() async throws {
        try await withApp { app in
            let lines = (0..<1_200).map { Self.line("user\($0)") } + [Self.line("user1199"), "nonsense"]
            let report = try await app.importUsers(lines, isDryRun: true)
            #expect(report == .init(lines: 1_202, added: 1_200, duplicates: 1, refused: 1))
            #expect(try await app.accounts() == 0)
            #expect(try await app.importUsers(lines) == report)
            #expect(try await app.accounts() == 1_200)
        }
    }

    @Test func faultsAreToldWithTheirLineAndQuoteNothing() async throws {
        try await withApp { app in
            let secret = "pbkdf2:sha256:99999999$salt$" + String(repeating: "ab", count: 32)
            let refused = Mutex<[String]>([])
            let lines = [
                Self.line("ada"), "", "{", Self.line("b"), "   ", Self.line("carol", hash: secret), Self.line("dave", hash: "secret"),
                Self.line("erin", more: #", "role": "admin""#), Self.line("frank", more: #", "created_at": "yesterday""#),
                #"{"email": "x", "username": 7}"#, "[]", String(repeating: "x", count: 70_000), Self.line("grace"),
            ]
            let report = try await app.importUsers(lines) { line in refused.withLock { $0.append("\(line)") } }
            #expect(report == .init(lines: 11, added: 2, duplicates: 0, refused: 9))
            let told = refused.withLock { $0 }
            #expect(told.map { $0.prefix { $0 != ":" } } == [3, 4, 6, 7, 8, 9, 10, 11, 12].map { "line \($0)" })
            #expect(told[1].contains("/username") && told[2].contains("/password_hash: To check") && told[4].contains("/role"))
            #expect(told[6].contains("/email") && told[6].contains("/username") && told[6].contains("/password_hash"))
            #expect(told.allSatisfy { !$0.contains("abab") && !$0.contains("secret") })
        }
    }

    @Test func theFileMayBeCutAnywhere() async throws {
        try await withApp { app in
            let file = Array((0..<20).map { Self.line("üser\($0)".filter(\.isASCII)) }.joined(separator: "\r\n").utf8)
            for length in [1, 7, 1_000_000] {
                var rest = file[...]
                let report = try await UserImport(app.app.database, audit: app.app.audit, isDryRun: true).run {
                    defer { rest = rest.dropFirst(length) }
                    return rest.isEmpty ? nil : Array(rest.prefix(length))
                } refusing: {
                    Issue.record("\($0)")
                }
                #expect(report.added == 20, "\(length)")
            }
        }
    }

    @Test func theCommandSaysWhatBecameOfTheFile() async throws {
        try await withApp { app in
            let file = app.folder + "/users.jsonl"
            let lines = (0..<2_000).map { Self.line("user\($0)") } + ["nonsense"]
            try lines.joined(separator: "\n").write(toFile: file, atomically: true, encoding: .utf8)
            for (arguments, words, status) in [
                (["--dry-run"], "2001 users: 2000 added, 0 there already, 1 with faults. Nothing was changed.\n", 1 as Int32),
                ([], "2001 users: 2000 added, 0 there already, 1 with faults.\n", 1),
                ([], "2001 users: 0 added, 2000 there already, 1 with faults.\n", 1),
            ] {
                let outcome = try await app.command(["user", "import", file] + arguments)
                #expect(outcome.output == words)
                #expect(outcome.errors.contains("line 2001: "))
                #expect(outcome.status == status)
            }
            try Self.line("user7").write(toFile: file, atomically: true, encoding: .utf8)
            #expect(try await app.command(["user", "import", file]).status == 0)
            #expect(try await app.command(["user", "import", file + "x"]).errors.contains("cannot be read"))
        }
    }
}

extension TestApp {
    func importUsers(
        _ lines: [String], isDryRun: Bool = false, refusing refuse: (RefusedLine) -> Void = { _ in }
    ) async throws -> UserImport.Report {
        var pieces = [Array(lines.joined(separator: "\n").utf8)][...]
        return try await UserImport(app.database, audit: app.audit, isDryRun: isDryRun).run(
            reading: { pieces.popFirst() }, refusing: refuse)
    }

    fileprivate func hash(of username: String) async throws -> String {
        try await app.database.one(
            String.self, "SELECT password_hash FROM account WHERE username = \(username)", else: .notFound("no_account", "There is none."))
    }

    fileprivate func accounts() async throws -> Int {
        try await app.database.first(Int.self, "SELECT count(*) FROM account") ?? 0
    }

    /// Runs the executable that was built beside the tests, on the app's database.
    fileprivate func command(_ words: [String]) async throws -> Program.Outcome {
        let tests = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        let candidates = [tests, Checkout.root.appending(path: ".build/debug")].map { $0.appending(path: "martlet").path }
        let executable = try #require(candidates.first { FileManager.default.isExecutableFile(atPath: $0) })
        let url: String =
            switch app.settings.databaseURL {
            case .sqlite(path: let path): "sqlite://\(path)"
            case .postgres(let url): url.unsafeReveal()
            }
        return try await Program.run([executable] + words + ["--database-url", url, "--environment", "test"], in: folder)
    }
}
