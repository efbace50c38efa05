import Foundation
import MartletApp
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletJobs
import MartletStorage
import MartletTestKit
import MartletTestSupport
import NIOHTTP1
import Testing

@testable import MartletIdentity

@Suite("Mail", .everyDatabase) struct SendingMail {
    /// What a mail server may do to a mail that is worth another try.
    static let troubles: [MailServer.Manner] = [
        .hangingUp, .silent, .refusing("EHLO", with: "421 not now"), .refusing("AUTH", with: "535 no"),
        .refusing("RCPT", with: "451 later"),
        .refusing("DATA", with: "452 full"), .refusing(".", with: "451 later"),
    ]

    @Test(arguments: troubles.indices)
    func isSentOnceTheServerTakesIt(trouble: Int) async throws {
        try await withMail { app, server in
            server.manner = Self.troubles[trouble]
            _ = try await app.register()
            try await app.runJobs()
            #expect(server.mails.isEmpty)
            #expect(try await app.states() == ["waiting"])
            server.manner = .taking
            try await eventually {
                try await app.runJobs()
                return !server.mails.isEmpty
            }
            #expect(server.mails.count == 1)
            #expect(try await app.verifyEmail(try server.token(for: "verify-email", to: "ada@example.org")).status == 204)
            #expect(try await app.states() == ["done"])
        }
    }

    @Test func isGivenUpWhenItsRecipientIsRefused() async throws {
        try await withMail { app, server in
            server.manner = .refusing("RCPT", with: "550 no such user ada@example.org")
            _ = try await app.register()
            try await app.runJobs()
            #expect(try await app.states() == ["dead"])
            let errors = try await app.app.database.all(String.self, "SELECT errors FROM job")
            #expect(errors.contains { $0.contains("550") } && !errors.contains { $0.contains("ada@") })
        }
    }

    @Test func leavesNoSecretInRowsOrLogs() async throws {
        let log = LinesOfLog()
        try await withMail(logger: log.logger) { app, server in
            _ = try await app.register()
            _ = try await app.forgetPassword()
            try await app.runJobs()
            _ = try await app.forgetPassword()
            server.manner = .refusing("RCPT", with: "451 later")
            try await app.runJobs()
            let tokens = server.mails.compactMap(\.token)
            #expect(tokens.count == 2)
            let rows = try await app.app.database.all(String.self, "SELECT payload FROM job")
            #expect(rows.count == 3)
            let secrets = tokens + [MailServer.password, Data("\0mailer\0\(MailServer.password)".utf8).base64EncodedString()]
            #expect(server.commands.contains { $0 == secrets.last }, "The server was logged in to.")
            for secret in secrets {
                #expect(!rows.contains { $0.contains(secret) })
                #expect(!log.lines.contains { $0.text.contains(secret) })
            }
            #expect(!log.lines.isEmpty && !log.lines.contains { $0.text.contains("#token=") })
            let stored = try await app.app.database.all([UInt8].self, "SELECT hash FROM mail_token")
            #expect(stored.allSatisfy { $0.count == 32 })
        }
    }

    @Test func saysNothingThatAStrangerMadeUp() async throws {
        try await withMail { app, server in
            _ = try await app.register(["name": "Buy at evil.example"])
            _ = try await app.raw(
                .POST, "/api/v1/auth/password/forgot",
                headers: [("Content-Type", "application/json"), ("X-Forwarded-Host", "evil.example")],
                body: Array(#"{"email":"ada@example.org"}"#.utf8))
            try await app.runJobs()
            #expect(server.mails.count == 2)
            for mail in server.mails {
                #expect(!mail.text.contains("evil") && mail.text.contains("https://martlet.example/"))
            }
        }
    }
}

extension TestApp {
    fileprivate func states() async throws -> [String] {
        try await app.database.all(String.self, "SELECT state FROM job WHERE kind = 'identity.send_mail'")
    }
}
