import Foundation
import MartletApp
import MartletClient
import MartletContract
import MartletIdentityAPI
import MartletTestKit
import MartletTestSupport
import Testing

@Suite("`martlet user create`", .only(.sqlite)) struct CreateCommand {
    private static let ada = ["user", "create", "--email", "ada@example.org", "--username", "ada"]

    @Test func printsThePasswordThatItMadeUpOnce() async throws {
        try await withApp { app in
            let outcome = try await MartletCommand.run(Self.ada + ["--name", "Ada Lovelace"], in: app)
            #expect(outcome.status == 0, "\(outcome.errors)")
            let password = outcome.output.trimmingCharacters(in: .newlines)
            #expect(password.count == 20 && !outcome.errors.contains(password))
            let session = try await app.logIn("ada", password).json()
            #expect(session["user"]?["name"] == "Ada Lovelace")
            let row = try #require(try await app.audited("user.created").first)
            #expect(row.actorKind == "console" && row.stateAfter == #"{"roles":["member"]}"#)
        }
    }

    @Test func makesAdministratorsAndTakesAPassword() async throws {
        try await withApp { app in
            let arguments = Self.ada + ["--admin", "--password-stdin"]
            let outcome = try await MartletCommand.run(arguments, input: "\(Registration.password)\n", in: app)
            #expect(outcome.status == 0 && outcome.output.isEmpty, "\(outcome.errors)")
            #expect(!outcome.errors.contains(Registration.password))
            #expect(try TokenClaims(try await app.token(of: "ada")).permissions.contains("users:write"))
        }
    }

    @Test func saysWhatIsWrong() async throws {
        try await withApp { app in
            let weak = try await MartletCommand.run(Self.ada + ["--password-stdin"], input: "password1\n", in: app)
            #expect(weak.status == 1 && weak.errors.contains("one of the commonest"))
            let short = try await MartletCommand.run(Self.ada + ["--password-stdin"], input: "", in: app)
            #expect(short.status == 64 && short.errors.contains("8 to 128 characters"))
            let address = try await MartletCommand.run(["user", "create", "--email", "ada", "--username", "ada"], in: app)
            #expect(address.status == 64 && address.errors.contains("--email"))
            _ = try await app.somebody("ada")
            let taken = try await MartletCommand.run(["user", "create", "--email", "ADA@example.org", "--username", "other"], in: app)
            #expect(taken.status == 1 && taken.output.isEmpty && taken.errors.contains("There is an account with this e-mail address."))
        }
    }
}
