import MartletApp
import MartletClient
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletTestKit
import NIOHTTP1
import Testing

@Suite(.everyDatabase) struct ChangingOnesProfile {
    @Test func takesWhatIsGivenAndLeavesTheRest() async throws {
        try await withApp { app in
            let client = try await app.signUp()
            let first = try await client.send(ProfileAPI.find)
            let named = try await client.send(ProfileAPI.change, ProfileChange(name: .set(PersonName("Ada Lovelace"))))
            #expect(named.name?.raw == "Ada Lovelace" && named.username == first.username && named.createdAt == first.createdAt)
            let renamed = try await client.send(ProfileAPI.change, ProfileChange(username: Username("Countess")))
            #expect(renamed.username.raw == "Countess" && renamed.name == named.name && renamed.email == first.email)
            #expect(try await client.send(ProfileAPI.change, ProfileChange(name: .cleared)).name == nil)
            #expect(try await client.send(ProfileAPI.change, ProfileChange()) == client.send(ProfileAPI.find))
            #expect(try await app.logIn("countess", Registration.password).status == 200)
            #expect(try await app.logIn("ada", Registration.password).status == 401)
        }
    }

    @Test func isOneOwnsOnly() async throws {
        try await withApp { app in
            let (ada, bob) = (try await app.signUp("ada"), try await app.signUp("bob"))
            _ = try await ada.send(ProfileAPI.change, ProfileChange(name: .set(PersonName("Ada"))))
            #expect(try await bob.send(ProfileAPI.find).name == nil)
        }
    }

    @Test func refusesAUsernameThatIsTakenInWhateverCase() async throws {
        try await withApp { app in
            let (ada, _) = (try await app.signUp("ada"), try await app.signUp("bob"))
            let problem = try await refusal { _ = try await ada.send(ProfileAPI.change, ProfileChange(username: Username("BOB"))) }
            #expect(problem?.status == 409 && problem?.code == "username_taken")
            #expect(try await ada.send(ProfileAPI.change, ProfileChange(username: Username("ADA"))).username.raw == "ADA")
        }
    }

    @Test func ofManyWhoWantAUsernameOneGetsIt() async throws {
        try await withApp { app in
            let clients = try await manyAtOnce(8) { try await app.signUp("user\($0)") }
            let outcomes = try await manyAtOnce(8) { number in
                try await refusal { _ = try await clients[number].send(ProfileAPI.change, ProfileChange(username: Username("wanted"))) }
            }
            #expect(outcomes.count { $0 == nil } == 1)
            #expect(outcomes.compactMap { $0?.code } == Array(repeating: "username_taken", count: 7))
        }
    }

    @Test(arguments: ["role", "email", "id", "password_hash", "is_operator", "created_at"])
    func knowsNoOtherField(_ field: String) async throws {
        try await withApp { app in
            let token = try await app.token()
            let answer = try await app.raw(.PATCH, "/api/v1/profile", token: token, json: #"{"\#(field)": "admin"}"#)
            #expect(answer.status == 422)
            #expect(try answer.problem().errors?.map(\.pointer) == ["/\(field)"])
        }
    }

    @Test(arguments: [
        "Robert'); DROP TABLE account;--", "\" OR 1=1 --", "$1 ? :name \\", "<script>alert(1)</script>", "Zoë 日本 👩‍👩‍👧", "%_[a]*",
    ]) func anyNameIsKeptAsItIs(_ name: String) async throws {
        try await withApp { app in
            let client = try await app.signUp()
            _ = try await client.send(ProfileAPI.change, ProfileChange(name: .set(PersonName(name))))
            #expect(try await client.send(ProfileAPI.find).name?.raw == name)
        }
    }

    @Test(arguments: ["ad", "a b", "адa", "ada\u{200B}", "ada'", String(repeating: "a", count: 51)])
    func aUsernameHasTheLettersOfASCIIOnly(_ username: String) async throws {
        try await withApp { app in
            let token = try await app.token()
            let body = try WireJSON.encode(["username": username])
            let answer = try await app.raw(
                .PATCH, "/api/v1/profile", token: token, headers: [("Content-Type", "application/json")], body: body)
            #expect(answer.status == 422)
        }
    }
}

@Suite(.everyDatabase) struct AskingForUsernames {
    @Test func tellsThatOneIsFree() async throws {
        try await withApp { app in
            let answer = try await app.client.send(ProfileAPI.usernameAvailable, UsernameQuestion(Username("ada")))
            #expect(try answer == UsernameAvailability(username: Username("ada"), available: true, suggestions: []))
        }
    }

    @Test(arguments: ["ada", "Ada", "a-b", "x_1", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwx", "___"])
    func suggestsThreeThatCanBeHad(_ username: String) async throws {
        try await withApp { app in
            _ = try await app.register(["username": .string(username.uppercased())])
            let answer = try await app.client.send(ProfileAPI.usernameAvailable, UsernameQuestion(Username(username)))
            #expect(!answer.available && Set(answer.suggestions).count == 3)
            for (number, suggestion) in answer.suggestions.enumerated() {
                let registered = try await app.register([
                    "username": .string(suggestion.raw), "email": .string("user\(number)@example.org"),
                ])
                #expect(registered.status == 201, "\(suggestion.raw)")
            }
        }
    }

    @Test func suggestsLongerNumbersWhereTheShortOnesAreTaken() async throws {
        try await withApp { app in
            let numbers = (10..<100).map { number in
                #"{"email": "a\#(number)@example.org", "username": "ada\#(number)", "password_hash": "\#(Self.hash)"}"#
            }
            _ = try await app.importUsers(numbers + [#"{"email": "a@example.org", "username": "ada", "password_hash": "\#(Self.hash)"}"#])
            let answer = try await app.client.send(ProfileAPI.usernameAvailable, UsernameQuestion(Username("ada")))
            #expect(answer.suggestions.count == 3)
            #expect(answer.suggestions.allSatisfy { $0.raw.utf8.count >= 6 })
        }
    }

    private static let hash = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"

    @Test(arguments: ["ada'--", "%25", "а"]) func whatIsNoUsernameIsRefused(_ text: String) async throws {
        try await withApp { app in
            let answer = try await app.raw(.GET, "/api/v1/auth/username-available?username=\(PercentEncoding.encode(text))")
            #expect(answer.status == 422)
        }
    }
}
