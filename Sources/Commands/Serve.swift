import ArgumentParser
import MartletApp
import MartletContract
import MartletIdentity
import MartletIdentityAPI
import MartletSettings
import MartletStorage
import MartletSupervisor
import MartletTelemetry
import MartletWire

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serve until told to stop.")

    @OptionGroup var flags: SettingFlags

    func run() async throws {
        try await reporting {
            let seat = WorkerSeat.take()
            let settings = try flags.load()
            App.prepareProcess(for: settings, serves: true)
            let logs = try flags.logs(settings)
            if let seat {
                try await Served(settings, logs, inFlight: try seat.inFlight(), seat: seat).work(at: seat)
            } else if settings.workers > 1 {
                throw ExitCode(try await Supervision(settings: settings, logger: logs.logger("martlet.supervisor")).run())
            } else {
                try await Served(settings, logs, inFlight: try InFlight()).run()
            }
        }
    }
}

/// The server, in this process.
private struct Served {
    let app: App

    init(_ settings: Settings, _ logs: Logs, inFlight: InFlight, seat: WorkerSeat? = nil) async throws {
        CrashHandler.install(on: inFlight, seat: seat)
        app = try await App(settings, logger: logs.logger("martlet"), logs: logs, inFlight: inFlight)
        app.adoptLibraries()
        try await app.prepare()
    }

    func run() async throws {
        try await app.run { port in
            Output.line(app.settings.greeting(port: port))
            Task { await offerSetup(port: port) }
        }
    }

    /// Only once it serves: a start that fails must not take the place of the link that is to work. Not by the logger: logs go to collectors,
    /// and this is a secret.
    ///
    /// - Parameter isAlone: Whether no other worker offers the same.
    private func offerSetup(port: Int, isAlone: Bool = true) async {
        do {
            switch try await app.identity.offerSetup() {
            case .token(let token):
                Output.error(
                    """
                    There is no administrator yet. Make yourself the first one here, once, within a day:
                    \(app.settings.site(port: port))/setup#token=\(token.raw)
                    """)
            case .offeredElsewhere where isAlone:
                Output.error("There is no administrator yet. Another start has printed the link for the first one within the last minute.")
            case .offeredElsewhere, .needless: break
            }
        } catch {
            Output.error("There may be no administrator yet; the link for the first one could not be made: start the server again for one.")
        }
    }

    /// As one of several that accept from the same socket.
    func work(at seat: WorkerSeat) async throws {
        let (instructions, told) = AsyncStream<Instruction>.makeStream()
        seat.onRetire { told.yield(.retire) }
        try await app.run(at: .inherited(descriptor: seat.listener), instructions: instructions) { port in
            seat.tellReady()
            Task { await offerSetup(port: port, isAlone: false) }
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
