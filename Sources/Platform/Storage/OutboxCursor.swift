/// How far a process has read the outbox. Looking again finds what was committed since then, each entry once.
///
/// A *mark* is a state of the database: everything that had been committed then is before it. PostgreSQL gives out positions in another order
/// than transactions commit, so its mark is the snapshot of the statement that looked, and an entry lies between two marks when its
/// transaction is visible in the second and not in the first. A transaction that takes long delays nobody, and is found when it commits.
/// SQLite writes one transaction after another: its mark is the greatest position.
struct OutboxCursor: Sendable {
    private let topics: [String]
    private let pageSize: Int
    /// Everything before it has been read.
    private var start: String
    /// Set while there is more to read up to a mark than a page held: the mark, and the last position that was read.
    private var rest: (mark: String, position: Int64)?

    /// Begins with what is not committed yet.
    init(_ topics: some Sequence<Topic>, pageSize: Int = 1000, in queries: any Queries) async throws {
        (self.topics, self.pageSize) = (topics.map(\.name), pageSize)
        guard let mark = try await queries.first(String.self, "SELECT \(Self.mark)") else { throw Self.missing }
        start = mark
    }

    /// Whether more was found than the last page could hold.
    var hasMore: Bool { rest != nil }

    /// The next entries in the order of their positions, a page at most. When it throws, the same call may be made again.
    mutating func next(in queries: any Queries) async throws -> [OutboxEntry] {
        let found = try await queries.all(Found.self, queries.dialect == .sqlite ? sqlite : postgres)
        let entries = found.compactMap(\.entry)
        guard let mark = found.first?.mark else { throw Self.missing }
        if let last = entries.last, entries.count == pageSize {
            rest = (mark, last.position)
        } else {
            (start, rest) = (mark, nil)
        }
        return entries
    }

    private static var missing: RowMismatch { RowMismatch(column: "mark", type: "String", "the result has no row") }
}

extension OutboxCursor {
    /// The mark of the statement it stands in.
    private static let mark = SQL(
        sqlite: "(SELECT CAST(coalesce(max(position), 0) AS TEXT) FROM outbox)", postgres: "pg_current_snapshot()::TEXT")

    /// The mark, in every row: with no entry the row has nothing else.
    private struct Found: Decodable, Sendable {
        let mark: String
        let entry: OutboxEntry?

        enum Key: CodingKey { case mark, position }

        init(from decoder: any Decoder) throws {
            let row = try decoder.container(keyedBy: Key.self)
            mark = try row.decode(String.self, forKey: .mark)
            entry = try row.decodeNil(forKey: .position) ? nil : OutboxEntry(from: decoder)
        }
    }

    private var sqlite: SQL {
        """
        SELECT mark, entry.* FROM (SELECT coalesce(\(rest?.mark), \(Self.mark)) AS mark)
        LEFT JOIN (
            SELECT \(OutboxEntry.columns) FROM outbox
            WHERE position > max(CAST(\(start) AS INTEGER), \(rest?.position ?? 0)) AND topic IN \(list: topics)
            ORDER BY position LIMIT \(pageSize)
        ) AS entry ON position <= CAST(mark AS INTEGER)
        ORDER BY position
        """
    }

    /// One statement, so that the entries and the mark are of the same snapshot.
    ///
    /// The two comparisons are there for the index. The upper one also leaves out rows with transactions of the future, which a restored dump
    /// brings. `+ 0` keeps the planner from walking through all positions in the hope that the first ones suffice.
    private var postgres: SQL {
        """
        SELECT look.mark::TEXT, entry.*
        FROM (SELECT coalesce(\(rest?.mark)::PG_SNAPSHOT, pg_current_snapshot()) AS mark, \(start)::PG_SNAPSHOT AS start) AS look
        LEFT JOIN LATERAL (
            SELECT \(OutboxEntry.columns) FROM outbox
            WHERE xid >= pg_snapshot_xmin(look.start) AND xid < pg_snapshot_xmax(look.mark)
                AND NOT pg_visible_in_snapshot(xid, look.start) AND pg_visible_in_snapshot(xid, look.mark)
                AND position > \(rest?.position ?? 0) AND topic IN \(list: topics)
            ORDER BY position + 0 LIMIT \(pageSize)
        ) AS entry ON true
        ORDER BY entry.position
        """
    }
}
