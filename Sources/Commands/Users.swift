import ArgumentParser
import Foundation
import MartletApp
import MartletContract
import MartletCore
import MartletIdentity
import MartletIdentityAPI
import MartletStorage

struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Look after accounts.", subcommands: [CreateUser.self, ImportUsers.self])
}

struct CreateUser: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Create an account.",
        discussion: "Without --password-stdin its password is made up, and printed this once.")

    @Option(help: "The e-mail address.") var email: String
    @Option(help: "The username: 3 to 50 letters, digits, _ and -.") var username: String
    @Option(help: "What its owner is called.") var name: String?
    @Flag(help: "Give it the role admin: it may do everything.") var admin = false
    @Flag(help: "Take the password from the first line of the standard input.") var passwordStdin = false
    @OptionGroup var settings: SettingFlags

    func run() async throws {
        let (password, isMadeUp) = try passwordStdin ? (given(), false) : (madeUp(), true)
        let new = NewUser(
            email: try parsed(email, "--email"), username: try parsed(username, "--username"),
            name: try name.map { try parsed($0, "--name") }, password: password, roles: admin ? .administrators : nil)
        try await withApp(settings) { app in
            let user = try await tellingFaults { try await app.identity.create(new) }
            Output.error("Created the account \(user.id)\(admin ? ", which may do everything" : "").")
            if isMadeUp { Output.line(password.raw) }
        }
    }

    private func given() throws -> Password { try parsed(readLine() ?? "", "The password") }

    /// 120 bits of chance.
    private func madeUp() throws -> Password {
        try parsed(Base64URL.encode((0..<15).map { _ in UInt8.random(in: .min ... .max) }), "The password")
    }

    private func parsed<Value: Parsed>(_ text: String, _ what: String) throws -> Value where Value.Raw == String {
        do throws(Fault) {
            return try Value(text)
        } catch {
            throw ValidationError("\(what): \(error.message)")
        }
    }

    private func tellingFaults(_ create: () async throws -> ManagedUser) async throws -> ManagedUser {
        do {
            return try await create()
        } catch let failure as Failure where !failure.faults.isEmpty {
            failure.faults.forEach { Output.error("martlet: \($0.message)") }
            throw ExitCode.failure
        }
    }
}

struct ImportUsers: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Take over accounts from elsewhere, with their password hashes.",
        discussion: """
            The file has one JSON object a line: email, username, password_hash (bcrypt, scrypt as Werkzeug writes it, PBKDF2 as Werkzeug and \
            Django do, Argon2id) and, if wanted, name and created_at. Lines with faults are told and left out, the others are imported; the \
            exit status is 1 when there were any. Who is there already is skipped, so that the command may be given again.
            """)

    @Argument(help: "The file.") var file: String
    @Flag(help: "Say what would happen, and change nothing.") var dryRun = false
    @OptionGroup var settings: SettingFlags

    func run() async throws {
        try await withApp(settings) { app in
            let file = try open()
            defer { try? file.close() }
            let users = UserImport(app.database, audit: app.audit, isDryRun: dryRun)
            let report = try await users.run {
                let bytes = try file.read(upToCount: 1 << 16) ?? Data()
                return bytes.isEmpty ? nil : Array(bytes)
            } refusing: {
                Output.error("\($0)")
            }
            Output.line("\(report.summary)\(dryRun ? " Nothing was changed." : "")")
            if report.refused > 0 { throw ExitCode.failure }
        }
    }

    private func open() throws -> FileHandle {
        do {
            return try FileHandle(forReadingFrom: URL(fileURLWithPath: file))
        } catch {
            throw Failure(.notFound, "file_unreadable", "\(file) cannot be read.", cause: error)
        }
    }
}

extension UserImport.Report {
    fileprivate var summary: String {
        "\(lines) users: \(added) added, \(duplicates) there already, \(refused) with faults."
    }
}
