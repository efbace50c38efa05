import Foundation
import MartletApp
import MartletClient
import MartletContract
import MartletCore
import MartletIdentity
import MartletIdentityAPI
import MartletSettings
import MartletStorage
import MartletTestKit
import MartletTestSupport
import NIOHTTP1
import Testing

@Suite(.everyDatabase) struct SettingUp {
    @Test func makesTheFirstAdministratorOnce() async throws {
        try await withApp { app in
            let token = try await app.setupToken()
            let answer = try await app.setUp(token)
            #expect(answer.status == 201 && answer.headers.first(name: "Cache-Control") == "no-store")
            let claims = try TokenClaims(try await app.token(of: "ada"))
            #expect(claims.permissions == Set(App.roles.declared.map(\.raw)))
            let row = try #require(try await app.audited("setup.completed").first)
            #expect(try row.targetID == answer.json()["id"]?.text && row.stateAfter == #"{"roles":["admin","member"]}"#)
            let again = try await app.setUp(token, "bob")
            #expect(try again.status == 409 && again.problem().code == "setup_done")
            #expect(try await app.app.identity.offerSetup() == .needless)
        }
    }

    @Test func happensOnceOfManyAtATime() async throws {
        try await withApp { app in
            let token = try await app.setupToken()
            let statuses = try await manyAtOnce(6) { try await app.setUp(token, "ada\($0)").status }
            #expect(statuses.count { $0 == 201 } == 1 && statuses.count { $0 == 409 } == 5, "\(statuses)")
            #expect(try await app.app.database.first(Int.self, "SELECT count(*) FROM account") == 1)
        }
    }

    @Test func ofInstancesThatStartTogetherOneOffersIt() async throws {
        try await withStandingClock { app, clock in
            let offers = try await manyAtOnce(5) { index in
                try await app.instances[index % app.instances.count].identity.offerSetup().token
            }
            #expect(offers.compactMap { $0 }.count == 1)
            let first = try #require(offers.compactMap { $0 }.first)
            #expect(try await app.app.identity.offerSetup().token == nil)
            // A later start takes its place.
            clock.advance(by: .seconds(60))
            let second = try await app.setupToken()
            #expect(try await app.setUp(first.raw).problem().code == "invalid_setup_token")
            #expect(try await app.setUp(second).status == 201)
        }
    }

    @Test func isPossibleForADay() async throws {
        try await withStandingClock { app, clock in
            let token = try await app.setupToken()
            clock.advance(by: .seconds(86_400))
            let late = try await app.setUp(token)
            #expect(try late.status == 401 && late.problem().code == "invalid_setup_token")
            #expect(try await app.setUp(try await app.setupToken()).status == 201)
        }
    }

    @Test func takesTheTokenAndAGoodPassword() async throws {
        try await withApp { app in
            let token = try await app.setupToken()
            #expect(try await app.setUp(SetupToken.example).status == 401)
            #expect(try await app.setUp("short").status == 422)
            #expect(try await app.setUp(token, password: "password1").problem().errors?.map(\.pointer) == ["/password"])
            let more = try await app.setUp(token, more: #","role":"admin""#)
            #expect(try more.problem().errors?.map(\.code) == ["unknown_field"])
            _ = try await app.register(["username": "other"])
            #expect(try await app.setUp(token).problem().code == "email_taken")
            #expect(try await app.setUp(token, "bob").status == 201, "What was refused has not used it up.")
        }
    }

    @Test func isOverWhenThereIsAnAdministratorFromElsewhere() async throws {
        try await withApp { app in
            let token = try await app.setupToken()
            _ = try await app.administrator()
            #expect(try await app.setUp(token).problem().code == "setup_done")
        }
    }

    @Test func hasAPageForAsLongAsItIsPossible() async throws {
        try await withApp { app in
            let token = try await app.setupToken()
            let page = try await app.raw(.GET, "/setup")
            #expect(page.status == 200 && page.headers.first(name: "Content-Type") == "text/html; charset=utf-8")
            let policy = try #require(page.headers.first(name: "Content-Security-Policy"))
            #expect(policy.contains("default-src 'none'") && !policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"))
            #expect(!page.text.contains("<script>") && !page.text.contains(" style=") && !page.text.contains("onsubmit"))
            let files = page.text.matches(of: /(?:src|href)="(\/[^"]+)"/).map { String($0.1) }
            #expect(files.count == 2)
            for file in files { #expect(try await app.raw(.GET, file).status == 200, "\(file)") }
            #expect(try await app.setUp(token).status == 201)
            for path in ["/setup"] + files {
                for _ in 0..<3 { #expect(try await app.raw(.GET, path).status == 404, "\(path)") }
            }
        }
    }

    @Test func storesNoToken() async throws {
        try await withApp { app in
            let token = try await app.setupToken()
            let hashes = try await app.app.database.all([UInt8].self, "SELECT hash FROM setup_token")
            #expect(hashes.count == 1 && hashes.allSatisfy { $0.count == 32 && $0 != Array(token.utf8) })
            #expect("\(try SetupToken(token))" == "•••")
        }
    }
}

@Suite("Setting up", .everyDatabase) struct GuessingSetupTokens {
    @Test func isLimitedAsLoginsAre() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let settings = try folder.settings(["RATE_LIMIT_ENABLED": "true", "RATE_LIMIT_LOGIN": "3/h"])
        try await withRunningApp(settings, folder: folder.path) { app in
            var statuses: [Int] = []
            for _ in 0..<4 { statuses.append(try await app.setUp(SetupToken.example).status) }
            #expect(statuses == [401, 401, 401, 429])
        }
    }
}

extension SetupOffer {
    var token: SetupToken? {
        if case .token(let token) = self { token } else { nil }
    }
}

extension TestApp {
    func setupToken() async throws -> String {
        try #require(try await app.identity.offerSetup().token).raw
    }

    func setUp(
        _ token: String, _ name: String = "ada", password: String = Registration.password, more: String = ""
    ) async throws -> RawAnswer {
        let json = #"{"token":"\#(token)","email":"\#(name)@example.org","username":"\#(name)","password":"\#(password)"\#(more)}"#
        return try await raw(.POST, "/api/v1/setup", json: json)
    }
}
