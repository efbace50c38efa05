import ArgumentParser
import Foundation
import MartletApp
import MartletCore
import MartletIdentity
import MartletStorage

struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Look after accounts.", subcommands: [ImportUsers.self])
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
