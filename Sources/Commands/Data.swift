import ArgumentParser
import Dispatch
import Foundation
import MartletApp
import MartletCore
import MartletDataCopy
import MartletSettings
import MartletStorage
import MartletTelemetry
import Synchronization

struct DataCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "data", abstract: "Move what is stored to another database.", subcommands: [DataCopyCommand.self])
}

struct DataCopyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "copy", abstract: "Copy everything from one database to an empty one, while the first is in use.",
        discussion: "A copy that was stopped goes on where it was when the same command is given again. docs/moving.md tells the whole way."
    )

    @Option(help: "Where the data is: a URL as in DATABASE_URL.") var from: String
    @Option(help: "Where it goes: an empty database, or one that this copy has begun to fill.") var to: String
    @Flag(help: "Migrate a target without any schema first.") var migrate = false
    @Option(help: "How many rows are read and stored at a time, 1 to 10000.") var batchSize = 1000
    @OptionGroup var settings: SettingFlags

    func validate() throws {
        guard (1...10_000).contains(batchSize) else { throw ValidationError("Give a batch size from 1 to 10000.") }
    }

    func run() async throws {
        try await reporting {
            var settings = try settings.load()
            // Statements of hundreds of rows are slow by nature, and their text is long.
            settings.slowStatement = .seconds(3600)
            App.prepareProcess(for: settings)
            let (source, target) = (try place(from, named: "--from"), try place(to, named: "--to"))
            guard source != target else { throw ValidationError("Both URLs name the same database.") }
            try requireFile(of: source)
            try await copy(from: source, to: target, settings)
        }
    }

    private func copy(from source: DatabaseURL, to target: DatabaseURL, _ settings: Settings) async throws {
        let logger = try self.settings.logs(settings).logger("martlet.database")
        let (from, to) = (try App.database(at: source, settings, logger: logger), try App.database(at: target, settings, logger: logger))
        let copy = DataCopy(
            from: .init(from, named: source.description), to: .init(to, named: target.description), tables: App.tables,
            migrations: App.migrations, batchSize: batchSize)
        let outcome = await Stopping.onRequest { [migrate] in
            let lines = CopyLines()
            return try await copy.run(migrating: migrate) { lines.show($0) }
        }
        await from.close()
        await to.close()
        try finish(outcome)
    }

    private func finish(_ outcome: Result<CopyReport, any Error>) throws {
        if case .failure(is CancellationError) = outcome {
            Output.error("Stopped. The same command goes on from here.")
            throw ExitCode(130)
        }
        let report = try outcome.get()
        Output.line(report.table)
        guard report.isComplete else {
            Output.error("martlet: The target differs from the source. Give the same command again: it repairs what differs.")
            throw ExitCode.failure
        }
        Output.line("The copy is complete. Writes to the source were held for \(report.heldWrites.inMilliseconds) ms.")
    }

    private func place(_ text: String, named name: String) throws -> DatabaseURL {
        do {
            return try DatabaseURL(text, named: name, folder: FileManager.default.currentDirectoryPath)
        } catch {
            throw ValidationError("\(error)")
        }
    }

    /// Opening a file that is not there would make an empty one.
    private func requireFile(of source: DatabaseURL) throws {
        guard case .sqlite(let path) = source, !FileManager.default.fileExists(atPath: path) else { return }
        throw ValidationError("There is no database at \(path).")
    }
}

/// The progress of a copy on standard error: on a terminal twice a second at most, elsewhere when a table is done.
private final class CopyLines: Sendable {
    private let lastShown = Mutex<ContinuousClock.Instant?>(nil)
    private let isTerminal = isatty(STDERR_FILENO) != 0

    func show(_ event: CopyEvent) {
        switch event {
        case .copied(let table, let rows): if isDue { Output.error("\(table): \(rows) rows") }
        case .copiedTable(let table, let rows): Output.error("\(table): \(rows) rows copied")
        case .caughtUp(let changes): Output.error("caught up with \(changes) changes")
        case .holdingWrites: Output.error("holding writes to the source")
        case .heldWrites(let duration): Output.error("let go of writes to the source after \(duration.inMilliseconds) ms")
        case .comparing(let table): if isDue { Output.error("comparing \(table)") }
        }
    }

    private var isDue: Bool {
        lastShown.withLock { last in
            let now = ContinuousClock.now
            guard isTerminal, last.map({ $0.duration(to: now) >= .milliseconds(500) }) ?? true else { return false }
            last = now
            return true
        }
    }
}

/// Work that Ctrl-C and SIGTERM cancel instead of ending the process in its midst.
private enum Stopping {
    static func onRequest<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) async -> Result<Value, any Error> {
        let task = Task { try await work() }
        let signals = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { task.cancel() }
            source.activate()
            return source
        }
        defer { for source in signals { source.cancel() } }
        return await task.result
    }
}

extension CopyReport {
    /// A line for each table: how many rows, and a checksum, on either side.
    fileprivate var table: String {
        let header = ["table", "rows there", "rows here", "checksum there", "checksum here", ""]
        let rows = tables.map { table in
            [
                table.name, "\(table.source.rows)", "\(table.target.rows)", table.source.shortText, table.target.shortText,
                table.source == table.target ? "equal" : "DIFFERENT",
            ]
        }
        let widths = header.indices.map { column in ([header] + rows).map { $0[column].count }.max() ?? 0 }
        return ([header] + rows).map { row in
            zip(row, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }.joined(separator: "  ")
        }.joined(separator: "\n")
    }
}

extension Duration {
    fileprivate var inMilliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
