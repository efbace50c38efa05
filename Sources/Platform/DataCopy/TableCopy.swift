import MartletCore
import MartletStorage

/// One table of a copy: first its rows in batches, then whatever changed meanwhile, range by range.
///
/// There is no log of changes, so changes are found by reading the source again: a range whose checksum is no longer the one of what the
/// target was given is compared row by row. The target is written by the copy alone, and is read again only where that is unknown.
struct TableCopy: Sendable {
    let table: StoredTable
    private let batchSize: Int
    /// Consecutive ranges that cover the table.
    private var ranges: [KeyRange] = []

    /// The rows after the range before it, and up to `upper` itself; to the end without it.
    private struct KeyRange: Sendable {
        let upper: RowKey?
        /// Of the rows that the target holds in it; `nil` when that is unknown.
        var known: Checksum?
    }

    init(_ table: StoredTable, batchSize: Int) {
        (self.table, self.batchSize) = (table, batchSize)
    }

    /// Of all rows that the target was given.
    var checksum: Checksum { ranges.reduce(Checksum()) { $0 + ($1.known ?? Checksum()) } }

    /// Makes the next pass compare the target itself.
    mutating func forget() {
        for index in ranges.indices { ranges[index].known = nil }
    }
}

// MARK: The bulk

extension TableCopy {
    /// Copies the rows in batches, from where an earlier call was stopped; each is stored whole, together with its line of progress.
    mutating func run(
        from source: any Queries, _ progress: CopyProgress, _ line: CopyProgress.Line?, report: (Int) -> Void
    ) async throws {
        var last = try line?.lastKey.map { try CopyProgress.key($0, of: table) }
        ranges = last.map { [KeyRange(upper: $0, known: nil)] } ?? []
        if line?.isDone == true { return ranges.append(KeyRange(upper: nil, known: nil)) }
        var count = line?.rowCount ?? 0
        while true {
            try Task.checkCancellation()
            let rows = try await table.page(after: last, through: nil, limit: batchSize, from: source)
            let stored = try await store(rows, progress, from: count)
            guard let end = rows.last?.key else { break }
            ranges.append(KeyRange(upper: end, known: stored.postponed == 0 ? rows.checksum : nil))
            (last, count) = (end, count + rows.count)
            report(count)
        }
        ranges.append(KeyRange(upper: nil, known: Checksum()))
    }

    private func store(_ rows: [CopiedRow], _ progress: CopyProgress, from count: Int) async throws -> CopyPass {
        try await progress.target.transaction(isolation: .readCommitted) { transaction in
            let stored = try await table.store(rows[...], in: transaction)
            try await progress.advance(table, from: count, by: rows.count, to: rows.last?.key, in: transaction)
            return stored
        }
    }
}

// MARK: Catching up

extension TableCopy {
    /// Brings the target to where the source is now, and returns what that took.
    mutating func catchUp(from source: any Queries, to target: any Database) async throws -> CopyPass {
        var pass = CopyPass()
        var (lower, caughtUp): (RowKey?, [KeyRange]) = (nil, [])
        for range in ranges {
            try Task.checkCancellation()
            if let known = range.known, try await checksum(after: lower, through: range.upper, of: source) == known {
                caughtUp.append(range)
            } else {
                caughtUp += try await align(after: lower, through: range.upper, from: source, to: target, &pass)
            }
            lower = range.upper
        }
        ranges = caughtUp
        return pass
    }

    /// Of everything that `queries` holds of the table.
    func checksum(of queries: any Queries) async throws -> Checksum {
        try await checksum(after: nil, through: nil, of: queries)
    }

    private func checksum(after lower: RowKey?, through upper: RowKey?, of queries: any Queries) async throws -> Checksum {
        var checksum = Checksum()
        try await forEachPage(after: lower, through: upper, of: queries) { rows, _ in checksum = checksum + rows.checksum }
        return checksum
    }

    /// Makes the target's rows of a range equal to the source's, and returns the range in parts of at most a batch.
    private func align(
        after lower: RowKey?, through upper: RowKey?, from source: any Queries, to target: any Database, _ pass: inout CopyPass
    ) async throws -> [KeyRange] {
        var (lower, parts): (RowKey?, [KeyRange]) = (lower, [])
        try await forEachPage(after: lower, through: upper, of: source) { rows, end in
            let done = try await align(rows, after: lower, through: end, in: target)
            parts.append(KeyRange(upper: end, known: done.postponed == 0 ? rows.checksum : nil))
            pass = pass + done
            lower = end
        }
        return parts
    }

    /// Makes the target's rows after `lower`, up to `end` itself, those of `rows`.
    private func align(
        _ rows: [CopiedRow], after lower: RowKey?, through end: RowKey?, in target: any Database
    ) async throws -> CopyPass {
        let wanted = Dictionary(rows.map { ($0.key, $0.checksum) }, uniquingKeysWith: { first, _ in first })
        var (equal, removed): (Set<RowKey>, Int) = ([], 0)
        try await forEachPage(after: lower, through: end, of: target) { page, _ in
            equal.formUnion(page.filter { wanted[$0.key] == $0.checksum }.map(\.key))
            removed += try await remove(page.map(\.key).filter { wanted[$0] == nil }, from: target)
        }
        let different = rows.filter { !equal.contains($0.key) }
        var done = CopyPass(removed: removed)
        if !different.isEmpty {
            done = done + (try await target.transaction(isolation: .readCommitted) { try await table.store(different[...], in: $0) })
        }
        return done
    }

    private func remove(_ keys: [RowKey], from target: any Database) async throws -> Int {
        var removed = 0
        for start in stride(from: 0, to: keys.count, by: 256) {
            removed += try await target.change(table.remove(Array(keys[start...].prefix(256))))
        }
        return removed
    }

    /// Calls `body` with each page of a range and its end, at least once; the last page's end is the range's.
    private func forEachPage(
        after lower: RowKey?, through upper: RowKey?, of queries: any Queries, _ body: ([CopiedRow], RowKey?) async throws -> Void
    ) async throws {
        var (lower, isLast) = (lower, false)
        while !isLast {
            try Task.checkCancellation()
            let rows = try await table.page(after: lower, through: upper, limit: batchSize, from: queries)
            isLast = rows.count < batchSize
            let end = isLast ? upper : rows.last?.key
            try await body(rows, end)
            lower = end
        }
    }
}

/// What one pass over the target changed.
struct CopyPass: Sendable {
    var stored = 0
    var removed = 0
    /// Rows that could not be stored yet: what they refer to is not there, or a row that is about to change is in their way.
    var postponed = 0
    /// Whether a row was removed for being in the way, and with it perhaps rows of other tables.
    var madeWay = false

    var changes: Int { stored + removed + postponed }

    static func + (left: CopyPass, right: CopyPass) -> CopyPass {
        CopyPass(
            stored: left.stored + right.stored, removed: left.removed + right.removed, postponed: left.postponed + right.postponed,
            madeWay: left.madeWay || right.madeWay)
    }
}

extension StoredTable {
    /// Stores rows in few statements. Where the target refuses some because the source has changed between reading one and another, these
    /// are found by halves and postponed.
    func store(_ rows: ArraySlice<CopiedRow>, in transaction: any Transaction) async throws -> CopyPass {
        var (rest, pass) = (rows, CopyPass())
        while !rest.isEmpty {
            let count = rowsPerStatement(of: rest.count, transaction.dialect)
            pass = pass + (try await storeTogether(rest.prefix(count), in: transaction))
            rest = rest.dropFirst(count)
        }
        return pass
    }

    private func storeTogether(_ rows: ArraySlice<CopiedRow>, in transaction: any Transaction) async throws -> CopyPass {
        do {
            _ = try await transaction.savepoint { try await $0.change(store(rows)) }
            return CopyPass(stored: rows.count)
        } catch let failure as SQLFailure where failure.kind == .unique || failure.kind == .foreignKey {
            guard rows.count > 1 else { return try await postpone(rows, failure, in: transaction) }
            let half = rows.count / 2
            return try await store(rows.prefix(half), in: transaction) + (try await store(rows.dropFirst(half), in: transaction))
        } catch let failure as SQLFailure {
            let rule = failure.subject.map { " (\($0))" } ?? ""
            throw Failure(.conflict, "row_refused", "The target refuses a row of the table \(name): \(failure.kind.rawValue)\(rule).")
        }
    }

    /// Leaves a row for the next pass. Two rows may have exchanged a unique value: so that one does not stand in the other's way for ever,
    /// what the target has in its place goes.
    private func postpone(_ rows: ArraySlice<CopiedRow>, _ failure: SQLFailure, in transaction: any Transaction) async throws -> CopyPass {
        guard failure.kind == .unique else { return CopyPass(postponed: rows.count) }
        let removed = try await transaction.change(remove(rows.map(\.key)))
        return CopyPass(postponed: rows.count, madeWay: removed > 0)
    }
}

extension [CopiedRow] {
    var checksum: Checksum { reduce(Checksum()) { $0 + $1.checksum } }
}
