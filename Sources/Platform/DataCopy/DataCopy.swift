// MartletDataCopy: a service's data taken from one database to another, whatever their engines.

import MartletCore
public import MartletStorage

/// Copies every row of the declared tables into an empty database with the same schema, while the source is in use.
///
/// First the rows are copied in batches, then passes over the source find what changed meanwhile. For the last pass writes to the source are
/// held, so that the copy is the source at one moment. At the end the target is read whole and compared.
///
/// A copy that was stopped, by an error, a cancellation or a crash, goes on where it was when ``run(migrating:report:)`` is called again. Its
/// memory is bounded by two batches, and a few hundred bytes for each batch of the source.
public struct DataCopy: Sendable {
    /// A database, and what to call it; the name must hold no secret, and names the same data each time.
    public struct Side: Sendable {
        public let database: any Database
        public let name: String

        public init(_ database: any Database, named name: String) {
            (self.database, self.name) = (database, name)
        }
    }

    private let source: Side
    private let target: Side
    private let tables: [StoredTable]
    private let migrations: [Migration]
    private let batchSize: Int

    /// - Parameter tables: Every table of the schema, each after those it refers to.
    /// - Parameter batchSize: How many rows are read, stored and compared at a time.
    public init(from source: Side, to target: Side, tables: [StoredTable], migrations: [Migration], batchSize: Int = 1000) {
        (self.source, self.target, self.tables, self.migrations) = (source, target, tables, migrations)
        self.batchSize = max(1, batchSize)
    }

    /// Copies, or goes on copying, and returns what is in both databases then.
    ///
    /// Throws a ``MartletCore/Failure`` in one sentence when a schema is not the program's, when the target holds anything but an unfinished
    /// copy of the same source, or when rows break the target's constraints. The copy is finished only when its report says so.
    ///
    /// - Parameter migrating: Whether to migrate a target without any schema.
    public func run(migrating: Bool = false, report: @escaping @Sendable (CopyEvent) -> Void = { _ in }) async throws -> CopyReport {
        try await prepare(migrating: migrating)
        let progress = CopyProgress(target: target.database, source: try await identity(of: source))
        var copies = try await bulk(progress, report)
        try await catchUpUnfrozen(&copies, report)
        let held = try await catchUpFrozen(&copies, report)
        let result = try await compare(copies, held: held, report)
        if result.isComplete { try await progress.close() }
        return result
    }
}

/// What a copy is doing, for whoever waits for it.
public enum CopyEvent: Sendable, Equatable {
    /// So many rows of the table are in the target by now.
    case copied(table: String, rows: Int)
    case copiedTable(String, rows: Int)
    /// A pass over the source changed so many rows of the target.
    case caughtUp(changes: Int)
    case holdingWrites
    case heldWrites(Duration)
    case comparing(table: String)
}

/// What both databases held at the end.
public struct CopyReport: Sendable {
    public struct Table: Sendable {
        public let name: String
        /// Of the source at the moment its writes were held.
        public let source: Checksum
        /// Of the target, read anew.
        public let target: Checksum
    }

    public let tables: [Table]
    /// How long writes to the source had to wait.
    public let heldWrites: Duration
    /// Whether the target is the source, row by row.
    public var isComplete: Bool { tables.allSatisfy { $0.source == $0.target } }
}

// MARK: Before

extension DataCopy {
    /// Throws `conflict`, code `copy_unfinished`, for a database that holds only a part of another one's data. Ask before serving it.
    public static func refuseUnfinished(in database: any Database) async throws {
        guard try await CopyProgress.isOpen(in: database) else { return }
        throw Failure(
            .conflict, "copy_unfinished",
            "The database holds an unfinished copy of another one. Give its `martlet data copy` command again.")
    }
}

extension DataCopy {
    private func prepare(migrating: Bool) async throws {
        try await verify(source, "source")
        if migrating { try await migrateIfEmpty() }
        try await verify(target, "target")
        for (side, role) in [(source, "source"), (target, "target")] {
            let disagreements = try await StoredTable.disagreements(with: tables, side.database)
            guard disagreements.isEmpty else {
                throw Failure(.internal, "tables_undeclared", "In the \(role): \(disagreements.joined(separator: " "))")
            }
        }
    }

    private func verify(_ side: Side, _ role: String) async throws {
        do {
            try await Migrator(side.database, migrations).verify()
        } catch let failure as Failure where failure.code.hasPrefix("schema_") {
            throw Failure(failure.kind, failure.code, "The \(role)'s schema is not this program's: \(failure.message)")
        }
    }

    /// What the target remembers of its source: one URL may name several schemas of a server.
    private func identity(of side: Side) async throws -> String {
        guard side.database.dialect == .postgres else { return side.name }
        let schema = try await side.database.first(String.self, "SELECT current_schema()::text") ?? ""
        return "\(side.name), schema \(schema)"
    }

    private func migrateIfEmpty() async throws {
        let migrator = Migrator(target.database, migrations)
        if try await migrator.status().allSatisfy({ $0.state == .pending }) { try await migrator.apply() }
    }
}

// MARK: The passes

extension DataCopy {
    /// A pass that changes more is followed by another before writes are held, up to ``longestChase`` of them.
    private var fewChanges: Int { batchSize / 10 }
    private static let longestChase = 5
    /// Under the freeze nothing changes: what a second pass cannot store, because it waits for another row, the third can.
    private static let frozenPasses = 6

    private func bulk(_ progress: CopyProgress, _ report: (CopyEvent) -> Void) async throws -> [TableCopy] {
        let lines = try await progress.open(tables)
        var copies: [TableCopy] = []
        for table in tables {
            var copy = TableCopy(table, batchSize: batchSize)
            var copied = lines[table.name]?.rowCount ?? 0
            try await copy.run(from: source.database, progress, lines[table.name]) { rows in
                copied = rows
                report(.copied(table: table.name, rows: rows))
            }
            report(.copiedTable(table.name, rows: copied))
            copies.append(copy)
        }
        return copies
    }

    /// Chases the source until little is left for the time when its writes are held.
    private func catchUpUnfrozen(_ copies: inout [TableCopy], _ report: (CopyEvent) -> Void) async throws {
        var before = Int.max
        for _ in 0..<Self.longestChase {
            let pass = try await catchUp(&copies, from: source.database)
            report(.caughtUp(changes: pass.changes))
            // A pass that changes as much as the one before chases a source that writes as fast as it is read.
            guard pass.changes > fewChanges, pass.changes < before / 2 else { return }
            before = pass.changes
        }
    }

    /// The last passes, while nobody can write to the source. Returns how long that was.
    private func catchUpFrozen(_ copies: inout [TableCopy], _ report: @escaping @Sendable (CopyEvent) -> Void) async throws -> Duration {
        let begun = copies
        let (caughtUp, held) = try await Freeze(tables).hold(source.database, onHold: { report(.holdingWrites) }) { frozen in
            var copies = begun
            for _ in 0..<Self.frozenPasses {
                let pass = try await catchUp(&copies, from: frozen)
                report(.caughtUp(changes: pass.changes))
                if pass.postponed == 0, !pass.madeWay { return copies }
            }
            throw Self.unstorable
        }
        copies = caughtUp
        report(.heldWrites(held))
        return held
    }

    private func catchUp(_ copies: inout [TableCopy], from source: any Queries) async throws -> CopyPass {
        var all = CopyPass()
        for index in copies.indices {
            let pass = try await copies[index].catchUp(from: source, to: target.database)
            // What went with a removed row is in the tables after this one.
            if pass.madeWay { for later in copies.indices.dropFirst(index + 1) { copies[later].forget() } }
            all = all + pass
        }
        return all
    }

    private static let unstorable = Failure(
        .conflict, "rows_not_storable",
        "Some rows cannot be stored in the target: they refer to missing rows, or break a unique constraint.")
}

// MARK: After

extension DataCopy {
    private func compare(_ copies: [TableCopy], held: Duration, _ report: (CopyEvent) -> Void) async throws -> CopyReport {
        var results: [CopyReport.Table] = []
        for copy in copies {
            report(.comparing(table: copy.table.name))
            try await countOn(copy.table)
            let found = try await copy.checksum(of: target.database)
            results.append(CopyReport.Table(name: copy.table.name, source: copy.checksum, target: found))
        }
        return CopyReport(tables: results, heldWrites: held)
    }
    /// Lets the target number new rows after those it was given. SQLite does so by itself.
    private func countOn(_ table: StoredTable) async throws {
        guard let column = table.identity, target.database.dialect == .postgres else { return }
        _ = try await target.database.all(Int64.self, table.countOn(column))
    }
}
