import Foundation
import MartletContract
import MartletIdentityAPI
import MartletStorage
import MartletTestKit
import Testing

@Suite("An e-mail address", .everyDatabase) struct VerifyingAddresses {
    @Test func isVerifiedByTheTokenOfTheMailThatFollowsSigningUp() async throws {
        let clock = MovableClock()
        try await withMail(clock: clock.reading) { app, server in
            let token = try await app.register().accessToken
            #expect(try await app.me(token).json()["email_verified_at"] == nil)
            try await app.runJobs()
            #expect(server.mails.count == 1)
            clock.advance(by: .seconds(86_399))
            #expect(try await app.verifyEmail(try server.token(for: "verify-email", to: "ada@example.org")).status == 204)
            let verified = try await app.logIn("ada", Registration.password).json()["user"]?["email_verified_at"]?.text
            #expect(verified == Timestamp.text(clock.now))
        }
    }

    @Test func isVerifiedOncePerToken() async throws {
        try await withMail { app, server in
            _ = try await app.register()
            try await app.runJobs()
            let token = try server.token(for: "verify-email", to: "ada@example.org")
            let statuses = try await manyAtOnce(8) { _ in try await app.verifyEmail(token).status }
            #expect(statuses.count { $0 == 204 } == 1 && statuses.count { $0 == 401 } == 7)
        }
    }

    @Test func isVerifiedWithinADay() async throws {
        let clock = MovableClock()
        try await withMail(clock: clock.reading) { app, server in
            _ = try await app.register()
            try await app.runJobs()
            clock.advance(by: .seconds(86_400))
            let answer = try await app.verifyEmail(try server.token(for: "verify-email", to: "ada@example.org"))
            #expect(try answer.problem().code == "invalid_mail_token")
        }
    }

    @Test func isMailedToAgainUntilItIsVerified() async throws {
        try await withMail { app, server in
            let access = try await app.register().accessToken
            try await app.runJobs()
            let first = try server.token(for: "verify-email", to: "ada@example.org")
            #expect(try await app.askForVerification(access).status == 202)
            try await app.runJobs()
            let second = try server.token(for: "verify-email", to: "ada@example.org")
            #expect(try await app.verifyEmail(first).status == 401, "The newest one counts.")
            #expect(try await app.verifyEmail(second).status == 204)
            #expect(try await app.askForVerification(access).status == 202)
            try await app.runJobs()
            #expect(server.mails.count == 2, "There is nothing to verify any more.")
        }
    }

    @Test func isNotMailedToWhenSigningUpFails() async throws {
        try await withMail { app, server in
            _ = try await app.register()
            #expect(try await app.register(["email": "other@example.org"]).status == 409)
            try await app.runJobs()
            #expect(server.mails.map(\.recipients) == [["ada@example.org"]])
        }
    }
}
