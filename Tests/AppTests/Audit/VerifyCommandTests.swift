import Foundation
import MartletStorage
import MartletTestKit
import MartletTestSupport
import Testing

@Suite("`martlet audit verify`", .only(.sqlite))
struct VerifyCommand {
    @Test func countsWhatIsWhole() async throws {
        try await withApp { app in
            try await app.recordSome(3)
            let outcome = try await Self.verify(in: app)
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(outcome.output.contains("instance: 3 rows, the last is 3 with hash "))
            #expect(outcome.output.contains("as it was written: 3 rows in 1 chains"))
        }
    }

    @Test func namesTheFirstBadRowAndFails() async throws {
        try await withApp { app in
            try await app.recordSome(4)
            try await app.tamper("UPDATE audit_event SET action = 'test.other' WHERE sequence >= 2")
            let outcome = try await Self.verify(in: app)
            #expect(outcome.status == 1)
            #expect(outcome.output.contains("instance: Row 2 is not what was written"))
        }
    }

    /// By the executable that was built beside the tests, with the settings of the app.
    private static func verify(in app: TestApp) async throws -> Program.Outcome {
        let tests = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        let candidates = [tests, Checkout.root.appending(path: ".build/debug")].map { $0.appending(path: "martlet").path }
        let executable = try #require(candidates.first { FileManager.default.isExecutableFile(atPath: $0) }, "`swift build` makes it.")
        let database = "sqlite://\(app.folder)/martlet.db"
        return try await Program.run(
            [executable, "audit", "verify", "--environment", "test", "--database-url", database], in: app.folder)
    }
}
