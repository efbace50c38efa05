import Foundation
import MartletApp
import MartletClient
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletSettings
import MartletStorage
import MartletTestKit
import NIOHTTP1
import Testing

@Suite("Remembered devices", .everyDatabase) struct RememberingDevices {
    @Test func needThePasswordAloneForThirtyDays() async throws {
        try await withStandingClock { app, clock in
            let ada = try await app.enrol(clock)
            let device = try await remember(app, ada)
            #expect(try await app.logIn(with: device).json()["access_token"] != nil)
            clock.advance(by: .seconds(30 * 86_400 - 1))
            #expect(try await app.logIn(with: device).json()["access_token"] != nil)
            clock.advance(by: .seconds(1))
            #expect(try await app.logIn(with: device).json()["mfa_required"] == true)
        }
    }

    @Test func areNoSecondFactor() async throws {
        try await withStandingClock { app, clock in
            let ada = try await app.enrol(clock)
            let device = try await remember(app, ada)
            let token = try await app.logIn(with: device).accessToken
            #expect(try await app.mfa("disable", token: token).code == "step_up_required")
        }
    }

    @Test func areNobodyElses() async throws {
        try await withStandingClock { app, clock in
            let (ada, _) = (try await app.enrol(clock, "ada"), try await app.enrol(clock, "bob"))
            let device = try await remember(app, ada)
            #expect(try await app.logIn("bob", with: device).json()["mfa_required"] == true)
            #expect(try await app.logIn(with: DeviceToken.example).json()["mfa_required"] == true)
        }
    }

    @Test func areListedAndCanBeForgotten() async throws {
        try await withStandingClock { app, clock in
            let ada = try await app.enrol(clock)
            let device = try await remember(app, ada, userAgent: "Birds/1.0")
            let token = try await app.logIn(with: device).accessToken
            let listed = try await app.raw(.GET, "/api/v1/auth/mfa/devices", token: token).json()["devices"]?.elements ?? []
            #expect(listed.map { $0["name"] } == ["Birds/1.0"])
            #expect(listed.first?["last_used_at"] != nil)
            let path = "/api/v1/auth/mfa/devices/\(listed.first?["id"]?.text ?? "")"
            #expect(try await app.raw(.DELETE, path, token: app.token("eve")).status == 404)
            #expect(try await app.raw(.DELETE, path, token: token).status == 204)
            #expect(try await app.logIn(with: device).json()["mfa_required"] == true)
        }
    }

    @Test func endWithTheSecondFactorThatTheyWereRememberedFor() async throws {
        try await withStandingClock { app, clock in
            let ada = try await app.enrol(clock)
            let device = try await remember(app, ada)
            clock.advance(by: .seconds(30))
            let token = try await app.finish(app.mfaToken(), code: ada.code()).accessToken
            #expect(try await app.mfa("disable", token: token).status == 204)
            #expect(try await app.app.database.first(Int.self, "SELECT count(*) FROM remembered_device") == 0)
            #expect(try await app.logIn(with: device).json()["access_token"] != nil)
        }
    }

    @Test func canBeACookieForPagesOfKnownOrigins() async throws {
        try await withStandingClock { app, clock in
            let ada = try await app.enrol(clock)
            let own = [("Origin", app.baseURL)]
            let login: JSON = ["mfa_token": .string(try await app.mfaToken()), "code": .string(ada.code()), "remember_device": true]
            #expect(try await app.mfa("login?cookie=true", login).code == "origin_refused")
            let answer = try await app.mfa("login?cookie=true", login, headers: own)
            #expect(answer.status == 200)
            let body = try answer.json()
            #expect(body["device_token"] == nil && body["refresh_token"] == nil)
            let cookies = answer.headers["Set-Cookie"]
            let device = try #require(cookies.first { $0.hasPrefix("martlet_device=") })
            #expect(device.contains("HttpOnly") && device.contains("SameSite=Strict") && device.contains("Max-Age=2592000"))
            #expect(cookies.contains { $0.hasPrefix("martlet_refresh=") })
            let pair = ("Cookie", String(device.prefix { $0 != ";" }))
            let again = try await app.logIn("ada", Registration.password, query: "?cookie=true", headers: own + [pair])
            #expect(try again.json()["access_token"] != nil)
            let foreign = try await app.logIn("ada", Registration.password, headers: [pair])
            #expect(try foreign.json()["mfa_required"] == true, "The cookie counts only where its origin is checked.")
        }
    }

    private func remember(_ app: TestApp, _ ada: Enrolled, userAgent: String = "Test/1") async throws -> String {
        let token = try await app.mfaToken(ada.name)
        let answer = try await app.mfa(
            "login", ["mfa_token": .string(token), "code": .string(ada.code()), "remember_device": true],
            headers: [("User-Agent", userAgent)])
        return try #require(try answer.json()["device_token"]?.text)
    }
}

extension TestApp {
    fileprivate func logIn(_ name: String = "ada", with device: String) async throws -> RawAnswer {
        try await raw(
            .POST, "/api/v1/auth/login",
            json: #"{"login":"\#(name)","password":"\#(Registration.password)","device_token":"\#(device)"}"#)
    }
}

@Suite("Secrets of second factors", .everyDatabase) struct SecretsOfSecondFactors {
    @Test func areNowhereInTheLog() async throws {
        let (log, clock) = (LinesOfLog(), MovableClock())
        var secrets: [String] = []
        try await withApp(clock: clock.reading, logger: log.logger, change: { $0.slowStatement = .zero }) { app in
            let ada = try await app.enrol(clock)
            let token = try await app.mfaToken()
            let code = ada.code()
            let answer = try await app.mfa(
                "login", ["mfa_token": .string(token), "code": .string(code), "remember_device": true])
            _ = try await app.finish(app.mfaToken(), recoveryCode: ada.recoveryCodes[0])
            _ = try await app.stepUp(["code": .string(ada.wrongCode), "password": "a canary password"], token: answer.accessToken)
            secrets = ada.recoveryCodes + [token, "a canary password", try answer.accessToken]
            secrets.append(try answer.json()["device_token"]?.text ?? "")
        }
        #expect(log.lines.contains { $0.text.contains("INSERT INTO recovery_code") }, "Statements were logged.")
        for secret in secrets {
            #expect(secret.count > 15)
            #expect(!log.lines.contains { $0.text.contains(secret) })
        }
    }
}
