import Foundation
import Logging
import MartletApp
import MartletContract
import MartletCore
import MartletIdentity
import MartletIdentityAPI
import MartletJobs
import MartletStorage
import MartletTestKit
import MartletTestSupport
import Testing

@Suite("A forgotten password", .everyDatabase) struct ForgottenPasswords {
    private static let new = "another good password"

    @Test func isReplacedByTheTokenOfAMail() async throws {
        try await withMail { app, server in
            let old = try await app.register()
            #expect(try await app.forgetPassword("ADA@example.org").status == 202)
            try await app.runJobs()
            let mail = try #require(server.mails.last { $0.text.contains("/reset-password") })
            #expect(mail.recipients == ["ada@example.org"] && mail.sender == "no-reply@example.com")
            #expect(mail.text.contains("\nhttps://martlet.example/reset-password#token="))
            let answer = try await app.resetPassword(try #require(mail.token), to: Self.new)
            #expect(answer.status == 204)
            #expect(try await app.logIn("ada", Registration.password).status == 401)
            #expect(try await app.logIn("ada", Self.new).status == 200)
            #expect(try await app.refresh(old.refreshToken()).status == 401)
            let token = try old.accessToken
            try await eventually {
                let asked = try await (app.me(token), app.me(token))
                return asked.0.status == 401 && asked.1.status == 401
            }
        }
    }

    @Test func isReplacedOncePerTokenAlsoWhenTwoRace() async throws {
        try await withMail { app, server in
            let token = try await app.resetToken(server)
            let statuses = try await manyAtOnce(8) { try await app.resetPassword(token, to: "password number \($0) of these").status }
            #expect(statuses.count { $0 == 204 } == 1 && statuses.count { $0 == 401 } == 7)
            #expect(try await app.resetPassword(token, to: Self.new).problem().code == "invalid_mail_token")
        }
    }

    @Test func isReplacedWithinAnHour() async throws {
        let clock = MovableClock()
        try await withMail(clock: clock.reading) { app, server in
            let token = try await app.resetToken(server)
            clock.advance(by: .seconds(3_600))
            #expect(try await app.resetPassword(token, to: Self.new).problem().code == "invalid_mail_token")
            let next = try await app.resetToken(server, isNew: false)
            clock.advance(by: .seconds(3_599))
            #expect(try await app.resetPassword(next, to: Self.new).status == 204)
        }
    }

    @Test func isReplacedByTheNewestTokenOnly() async throws {
        try await withMail { app, server in
            let first = try await app.resetToken(server)
            let second = try await app.resetToken(server, isNew: false)
            #expect(first != second)
            #expect(try await app.resetPassword(first, to: Self.new).status == 401)
            #expect(try await app.resetPassword(second, to: Self.new).status == 204)
        }
    }

    @Test func isNotReplacedByAPasswordThatIsRefusedNorIsTheTokenLost() async throws {
        try await withMail { app, server in
            let token = try await app.resetToken(server)
            let refusal = try await app.resetPassword(token, to: "ada@example.org").problem()
            #expect(refusal.errors?.map(\.pointer) == ["/new_password"] && refusal.errors?.map(\.code) == ["password_is_name"])
            #expect(try await app.resetPassword(token, to: Self.new).status == 204)
        }
    }

    @Test func isNotReplacedByATokenForSomethingElse() async throws {
        try await withMail { app, server in
            _ = try await app.register()
            try await app.runJobs()
            let token = try server.token(for: "verify-email", to: "ada@example.org")
            #expect(try await app.resetPassword(token, to: Self.new).status == 401)
            let reset = try await app.resetToken(server, isNew: false)
            #expect(try await app.verifyEmail(reset).status == 401)
        }
    }

    @Test func endsItsTokenWhenItIsChanged() async throws {
        try await withMail { app, server in
            let token = try await app.resetToken(server)
            let access = try await app.logIn("ada", Registration.password).accessToken
            #expect(try await app.changePassword(access, to: Self.new).status == 204)
            #expect(try await app.resetPassword(token, to: "yet another password").status == 401)
        }
    }

    @Test func isAnsweredAlikeForAddressesThatNobodyHas() async throws {
        try await withMail { app, server in
            _ = try await app.register()
            try await app.runJobs()
            let count = server.mails.count
            let (known, unknown) = (try await app.forgetPassword(), try await app.forgetPassword("nobody@example.org"))
            #expect(known.status == 202 && unknown.status == 202 && known.bytes == unknown.bytes && known.bytes.isEmpty)
            let names: ([(String, String)]) -> [String] = { $0.map(\.0).sorted() }
            #expect(names(known.headers.map { ($0.name, $0.value) }) == names(unknown.headers.map { ($0.name, $0.value) }))
            try await app.runJobs()
            #expect(server.mails.count == count + 1)
        }
    }

    @Test func isMailedAboutOnceWhenItWasAskedForManyTimesMeanwhile() async throws {
        let clock = MovableClock()
        try await withMail(clock: clock.reading) { app, server in
            _ = try await app.register()
            try await app.runJobs()
            let count = server.mails.count
            for _ in 0..<3 {
                #expect(try await app.forgetPassword().status == 202)
                clock.advance(by: .seconds(1))
            }
            #expect(try await app.orderlyWorker().runDue() == 3)
            #expect(server.mails.count == count + 1)
        }
    }

    @Test func isMailedAboutFiveTimesInAQuarterOfAnHourAtMost() async throws {
        try await withMail(environment: ["RATE_LIMIT_ENABLED": "true", "TRUSTED_PROXIES": "127.0.0.1"]) { app, _ in
            var statuses: [Int] = []
            for client in 0..<6 {
                let fields = [("X-Forwarded-For", "192.0.2.\(client)")]
                statuses.append(try await app.post("password/forgot", ["email": "ada@example.org"], headers: fields).status)
            }
            #expect(statuses == [202, 202, 202, 202, 202, 429])
        }
    }

    @Test func cannotBeReplacedWhereNoMailIsSent() async throws {
        try await withMail(environment: ["MAIL_URL": "none"]) { app, _ in
            let access = try await app.register().accessToken
            let (known, unknown) = (try await app.forgetPassword(), try await app.forgetPassword("nobody@example.org"))
            for answer in [known, unknown, try await app.askForVerification(access)] {
                #expect(answer.status == 503)
                #expect(try answer.problem().code == "mail_unavailable")
            }
            #expect(try await app.app.database.first(Int.self, "SELECT count(*) FROM job WHERE kind = 'identity.send_mail'") == 0)
        }
    }
}

@Suite("The work for a forgotten password", .everyDatabase) struct WorkForForgottenPasswords {
    @Test func isTheSameForAddressesThatNobodyHas() async throws {
        try await SpanReceiver.withApp { app, receiver in
            _ = try await app.register()
            var statements: [[String]] = []
            for address in ["ada@example.org", "nobody@example.org", "ada@example.org", "nobody@example.org"] {
                let (trace, body) = (ClientTrace(), Array(#"{"email":"\#(address)"}"#.utf8))
                let fields = [trace.field(), "Content-Type: application/json", "Content-Length: \(body.count)"]
                #expect(try await app.exchange("POST /api/v1/auth/password/forgot", fields, body: body).status == 202)
                statements.append(try await receiver.whole(trace.id).compactMap { $0.attributes["db.query.text"] }.sorted())
            }
            #expect(statements[0].count >= 2)
            #expect(Set(statements).count == 1, "\(statements)")
            let jobs = try await app.app.database.first(Int.self, "SELECT count(*) FROM job WHERE payload LIKE '%reset_password%'")
            #expect(jobs == 4)
        }
    }
}

extension TestApp {
    /// One that does one thing after another.
    fileprivate func orderlyWorker() throws -> JobWorker {
        let identity = try #require(app.services.lazy.compactMap { $0 as? IdentityService }.first)
        let queue = JobQueue(JobQueue.standard.name, concurrency: 1)
        return JobWorker(app.database, jobs: Jobs(), handlers: identity.jobs, queues: [queue], logger: .silent)
    }

    /// The token of a mail to Ada, who may have to sign up before.
    fileprivate func resetToken(_ server: MailServer, isNew: Bool = true) async throws -> String {
        if isNew { _ = try await register() }
        #expect(try await forgetPassword().status == 202)
        try await runJobs()
        return try server.token(for: "reset-password", to: "ada@example.org")
    }
}
