import Foundation
import MartletApp
import MartletClient
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletStorage
import MartletTestKit
import NIOHTTP1
import Testing

@Suite(.everyDatabase) struct Registering {
    @Test func anAccountIsMadeAndLoggedIn() async throws {
        try await withApp { app in
            let answer = try await app.register(["name": "Ada Lovelace"])
            let json = try answer.json()
            #expect(answer.status == 201)
            #expect(json["token_type"] == "Bearer")
            #expect(json["expires_in"] == 1800)
            #expect(json["user"]?["email"] == "ada@example.org")
            #expect(json["user"]?["name"] == "Ada Lovelace")
            #expect(answer.headers.first(name: "Cache-Control") == "no-store")
            #expect(try await app.me(json["access_token"]?.text).json() == json["user"])
            #expect(try await app.refresh(answer.refreshToken()).status == 200)
        }
    }

    @Test func theAnswerHoldsNoPassword() async throws {
        try await withApp { app in
            let text = try await app.register().text
            #expect(!text.contains("argon2") && !text.contains("password") && !text.contains(Registration.password))
        }
    }

    @Test func everyFaultIsToldAtOnce() async throws {
        try await withApp { app in
            let answer = try await app.register(["email": "no", "username": "x", "password": "short", "name": "", "is_admin": true])
            let faults = try answer.problem().errors ?? []
            #expect(answer.status == 422)
            #expect(Set(faults.map(\.pointer)) == ["/email", "/username", "/password", "/name", "/is_admin"])
            #expect(faults.count == 5)
        }
    }

    @Test(arguments: ["email", "username", "password"])
    func aMissingFieldIsNamed(_ field: String) async throws {
        try await withApp { app in
            let answer = try await app.register([field: JSON?.none])
            #expect(answer.status == 422)
            #expect(try answer.problem().errors?.map(\.pointer) == ["/\(field)"])
            #expect(try answer.problem().errors?.map(\.code) == ["missing"])
        }
    }

    static let wrong: [(field: String, value: String)] = [
        ("email", ""), ("email", "ada"), ("email", "@example.org"), ("email", "ada@"), ("email", "ada@example"),
        ("email", "a@b@example.org"),
        ("email", "a da@example.org"), ("email", ".ada@example.org"), ("email", "a..a@example.org"), ("email", "ada@-example.org"),
        ("email", "ada@example..org"), ("email", "ädä@example.org"), ("email", "ada@example.org\r\nX: y"),
        ("email", String(repeating: "a", count: 65) + "@example.org"), ("email", "a@" + String(repeating: "example.", count: 32) + "org"),
        ("username", "ab"), ("username", String(repeating: "a", count: 51)), ("username", "a da"), ("username", "ädä"), ("username", "a@b"),
        ("username", "ada\u{0}"), ("username", "../ada"),
        ("password", ""), ("password", "1234567"), ("password", String(repeating: "é", count: 129)),
        ("name", ""), ("name", "   "), ("name", String(repeating: "n", count: 121)), ("name", "Ada\u{7}"),
    ]

    @Test(arguments: wrong)
    func aFieldThatBreaksItsRuleIsNamed(_ field: String, _ value: String) async throws {
        try await withApp { app in
            let answer = try await app.register([field: .string(value)])
            #expect(answer.status == 422)
            #expect(try answer.problem().errors?.map(\.pointer) == ["/\(field)"])
        }
    }

    @Test(arguments: [
        ("password", String(repeating: "é", count: 8)), ("password", String(repeating: "é", count: 128)), ("password", "🐦🐦🐦🐦🐦🐦🐦🐦"),
        ("username", "a-_"), ("username", String(repeating: "a", count: 50)), ("name", String(repeating: "n", count: 120)),
        ("email", "a.b+c@sub.example.org"), ("email", String(repeating: "a", count: 64) + "@example.org"),
    ])
    func aFieldAtTheEdgeOfItsRuleIsTaken(_ field: String, _ value: String) async throws {
        try await withApp { app in
            let answer = try await app.register([field: .string(value)])
            #expect(answer.status == 201)
        }
    }

    @Test func aPasswordOfTheGreatestLengthLogsIn() async throws {
        try await withApp { app in
            let password = String(repeating: "é", count: 128)
            _ = try await app.register(["password": .string(password)])
            #expect(try await app.logIn("ada", password).status == 200)
            #expect(try await app.logIn("ada", String(password.dropLast())).status == 401)
        }
    }
}

@Suite(.everyDatabase) struct ChoosingAPassword {
    @Test(arguments: ["password", "PassWord", "1234567890", "qwertyuiop", "Trustno1"])
    func aCommonOneIsRefusedInAnyCase(_ password: String) async throws {
        try await expect("password_too_common", for: ["password": .string(password)])
    }

    @Test(arguments: ["lovelace", "LOVELACE", "l.ace+x@example.org", "L.ace+X@Example.org", "l.ace+xx", "Ada Byron", "ada BYRON"])
    func oneThatIsTheNameOrTheAddressIsRefusedInAnyCase(_ password: String) async throws {
        let local = password == "l.ace+xx" ? "l.ace+xx" : "l.ace+x"
        try await expect(
            "password_is_name",
            for: [
                "password": .string(password), "username": "LoveLace", "email": .string("\(local)@example.org"), "name": "Ada Byron",
            ])
    }

    private func expect(_ code: String, for registration: [String: JSON?]) async throws {
        try await withApp { app in
            let answer = try await app.register(registration)
            #expect(answer.status == 422)
            #expect(try answer.problem().errors?.map(\.pointer) == ["/password"])
            #expect(try answer.problem().errors?.map(\.code) == [code])
        }
    }
}

@Suite(.everyDatabase) struct TakenNames {
    @Test(arguments: ["ada@example.org", "ADA@example.org", "Ada@Example.ORG"])
    func anAddressIsTakenInAnyCase(_ email: String) async throws {
        try await withApp { app in
            _ = try await app.register()
            let answer = try await app.register(["email": .string(email), "username": "other"])
            #expect(answer.status == 409)
            #expect(try answer.problem().code == "email_taken")
        }
    }

    @Test(arguments: ["ada", "ADA", "aDa"])
    func aUsernameIsTakenInAnyCase(_ username: String) async throws {
        try await withApp { app in
            _ = try await app.register()
            let answer = try await app.register(["email": "other@example.org", "username": .string(username)])
            #expect(answer.status == 409)
            #expect(try answer.problem().code == "username_taken")
        }
    }

    @Test func ofManyWhoTakeANameAtOnceExactlyOneGetsIt() async throws {
        try await withApp { app in
            try await app.withWideClient { client in
                let outcomes = try await manyAtOnce(32) { index in
                    let registration = Registration(
                        email: try EmailAddress("ada\(index)@example.org"), username: try Username(index.isMultiple(of: 2) ? "ada" : "ADA"),
                        password: try Password(Registration.password))
                    return try await refusal { _ = try await client.send(AccountsAPI.register, registration) }?.code ?? "registered"
                }
                #expect(outcomes.count { $0 == "registered" } == 1)
                #expect(outcomes.count { $0 == "username_taken" } == 31)
            }
            #expect(try await app.app.database.first(Int.self, "SELECT count(*) FROM account") == 1)
            #expect(try await app.app.database.first(Int.self, "SELECT count(*) FROM session") == 1)
        }
    }
}
