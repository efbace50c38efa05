import Foundation
import MartletApp
import MartletContract
import MartletCore
import MartletIdentity
import MartletSecrets
import MartletSettings
import MartletStorage
import MartletTestKit
import Testing

@Suite("Rotating secrets", .everyDatabase) struct RotatingSecrets {
    private static let (old, new) = ("an old key; of thirty-two bytes or more", "the next key; of thirty-two bytes or more")

    @Test func whatTheOldKeySealedOpensAndIsSealedAnewOnce() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let clock = MovableClock(Date(timeIntervalSince1970: 1_900_000_020))
        var accounts: [Enrolled] = []
        try await withKeys(["SECRET_KEY": Self.old], folder, clock) { app in
            for name in ["ada", "bob", "eve"] { accounts.append(try await app.enrol(clock, name)) }
        }
        let (ada, bob, eve) = (accounts[0], accounts[1], accounts[2])
        try await withKeys(["SECRET_KEY": Self.new, "PREVIOUS_SECRET_KEYS": "something else entirely, \(Self.old)"], folder, clock) { app in
            let login = try await app.finish(app.mfaToken(), code: ada.code())
            #expect(login.status == 200)
            let counts = (try await rotate(app), try await rotate(app))
            #expect(counts == (3, 0), "A second run finds nothing to do.")
        }
        try await withKeys(["SECRET_KEY": Self.new], folder, clock) { app in
            let login = try await app.finish(app.mfaToken("bob"), code: bob.code())
            #expect(login.status == 200)
        }
        try await withKeys(["SECRET_KEY": Self.old], folder, clock) { app in
            let login = try await app.finish(app.mfaToken("eve"), code: eve.code())
            #expect(login.status == 500, "The old key opens nothing any more.")
            await #expect(throws: SecretBox.Unreadable.unknownKey) { try await rotate(app) }
        }
    }

    @Test func oneThatWasStoppedGoesOnWhereItWas() async throws {
        try await withStandingClock { app, clock in
            for name in ["ada", "bob", "eve", "joe", "kim"] { _ = try await app.enrol(clock, name) }
            let box = SecretBox(current: Array(Self.new.utf8), previous: [app.app.settings.secretKey.unsafeRevealBytes()])
            let (database, rotation) = (app.app.database, SecretRotation(app.app.database, box, batch: 2))
            let stopped = Task {
                try await rotation.run(App.sealedColumns) { _ in withUnsafeCurrentTask { $0?.cancel() } }
            }
            await #expect(throws: CancellationError.self) { try await stopped.value }
            let halfway = try await database.all(Sealed.self, "SELECT secret FROM totp")
            #expect(halfway.count { box.isCurrent($0.secret) } == 2, "One batch was done, and stays.")
            let rest = try await rotation.run(App.sealedColumns)
            #expect(rest == 3)
            let all = try await database.all(Sealed.self, "SELECT secret FROM totp")
            #expect(all.count { box.isCurrent($0.secret) } == 5)
        }
    }

    private struct Sealed: Decodable, Sendable {
        let secret: [UInt8]
    }

    private func withKeys(
        _ keys: [String: String], _ folder: TemporaryFolder, _ clock: MovableClock, _ body: (TestApp) async throws -> Void
    ) async throws {
        try await withRunningApp(try folder.settings(keys), folder: folder.path, clock: clock.reading, body)
    }

    private func rotate(_ app: TestApp) async throws -> Int {
        try await SecretRotation(app.app.database, SecretBox(app.app.settings)).run(App.sealedColumns)
    }
}
