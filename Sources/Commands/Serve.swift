import ArgumentParser
import MartletApp
import MartletContract
import MartletSettings
import MartletStorage

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serve until told to stop.")

    @OptionGroup var settings: SettingFlags

    func run() async throws {
        try await reporting {
            let app = try await settings.app()
            try await app.prepare()
            let scheme = app.settings.tlsCertificateFile == nil ? "http" : "https"
            try await app.run { port in
                Output.line("Martlet \(App.version) serves \(scheme)://\(app.settings.host):\(port)")
            }
        }
    }
}

struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Check the settings and the database, and show what is in effect.")

    @OptionGroup var settings: SettingFlags

    func run() async throws {
        try await reporting {
            let app = try await settings.app()
            Output.line(app.settings.describe())
            let pending = try await app.migrator.plan()
            if app.settings.migrateOnStart, !pending.isEmpty {
                Output.line("The database's schema will be brought up to date when the server starts.")
            } else {
                try await app.migrator.verify()
                Output.line("The database's schema is up to date.")
            }
            await app.database.close()
        }
    }
}

struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Bring the database's schema up to date.")

    @Flag(help: "Show which migrations are applied; change nothing.") var status = false
    @Flag(help: "Show what would be run; change nothing.") var dryRun = false
    @OptionGroup var settings: SettingFlags

    func run() async throws {
        try await reporting {
            let app = try await settings.app()
            if status {
                for migration in try await app.migrator.status() { Output.line(migration.line) }
            } else if dryRun {
                for migration in try await app.migrator.plan() {
                    Output.line("-- \(migration.id)\n\(migration.script.text(for: app.database.dialect))")
                }
            } else {
                let applied = try await app.migrator.apply()
                Output.line(applied.isEmpty ? "Nothing to do." : applied.map { "applied \($0)" }.joined(separator: "\n"))
            }
            await app.database.close()
        }
    }
}

extension MigrationStatus {
    fileprivate var line: String {
        switch state {
        case .applied(let moment): "applied \(Timestamp.text(moment))  \(id)"
        case .pending: "pending                       \(id)"
        case .edited: "edited since it was applied   \(id)"
        case .unknown: "not known to this program     \(id)"
        }
    }
}
