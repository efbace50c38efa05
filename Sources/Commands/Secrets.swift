import ArgumentParser
import MartletApp
import MartletAudit
import MartletSecrets

struct SecretsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "secrets", abstract: "Look after the secrets that are stored sealed.", subcommands: [RotateSecrets.self])
}

struct RotateSecrets: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate", abstract: "Seal every stored secret anew with SECRET_KEY.",
        discussion: """
            Give all instances the new SECRET_KEY, and the old one in PREVIOUS_SECRET_KEYS, first. It can be stopped at any moment and \
            given again; afterwards PREVIOUS_SECRET_KEYS can go.
            """)

    @OptionGroup var settings: SettingFlags

    func run() async throws {
        try await withApp(settings) { app in
            try await app.audit.record(AuditEvent(.secretsRotated))
            let count = try await SecretRotation(app.database, SecretBox(app.settings)).run(App.sealedColumns)
            Output.line(count == 1 ? "1 secret was sealed anew." : "\(count) secrets were sealed anew.")
        }
    }
}

extension AuditAction {
    static let secretsRotated = AuditAction("secrets.rotated")
}
