import ArgumentParser
import MartletApp
import MartletCore
import MartletIdentity
import MartletStorage

struct OperatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operator", abstract: "Say who may do everything: who has the role admin.",
        subcommands: [AppointOperator.self, DismissOperator.self])
}

struct AppointOperator: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "appoint", abstract: "Give an account the role admin.")

    @Argument(help: "The account's username or e-mail address.") var login: String
    @OptionGroup var settings: SettingFlags

    func run() async throws {
        try await withOperators(settings) { try await $0.appoint(login) }
        Output.line("\(login) has the role admin.")
    }
}

struct DismissOperator: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "dismiss", abstract: "Take the role admin from an account.")

    @Argument(help: "The account's username or e-mail address.") var login: String
    @OptionGroup var settings: SettingFlags

    func run() async throws {
        try await withOperators(settings) { try await $0.dismiss(login) }
        Output.line("\(login) has the role admin no more; access tokens with its permissions end within a second.")
    }
}

extension AsyncParsableCommand {
    fileprivate func withOperators(_ flags: SettingFlags, _ body: (Operators) async throws -> Void) async throws {
        try await withApp(flags) { try await body($0.operators) }
    }

    /// Runs `body` with the application that the flags describe, on an up-to-date database, and closes that afterwards.
    func withApp(_ flags: SettingFlags, _ body: (App) async throws -> Void) async throws {
        try await reporting {
            let app = try await flags.app()
            let outcome: Result<Void, any Error>
            do {
                try await app.migrator.verify()
                outcome = .success(try await CurrentRequest.$origin.withValue(Origin(.console)) { try await body(app) })
            } catch {
                outcome = .failure(error)
            }
            await app.database.close()
            try outcome.get()
        }
    }
}
