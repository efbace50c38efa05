import Foundation
import MartletStorage
import MartletTestSupport

/// Tables with something of everything: a parent, its children with each kind of value, a search index, and rows that the engine numbers.
enum CopyTables {
    static let all = [
        StoredTable("owner", key: ["id"], [.uuid("id"), .text("email"), .timestamp("created_at")]),
        StoredTable(
            "thing", key: ["id"],
            [
                .uuid("id"), .uuid("owner_id"), .text("title"), .bool("flag"), .int("number"), .double("ratio"), .decimal("price"),
                .bytes("body"), .timestamp("moment"), .json("details"), .texts("tags"),
            ],
            derived: [.sqlite: ["row"], .postgres: ["words"]]),
        StoredTable("entry", key: ["id"], [.int("id"), .text("note")], identity: "id"),
        StoredTable("label", key: ["thing_id", "word"], [.uuid("thing_id"), .text("word")]),
    ]

    static let migrations = [
        Migration(
            "copy/0001-tables",
            sqlite: """
                CREATE TABLE owner (
                    id TEXT PRIMARY KEY NOT NULL, email TEXT NOT NULL COLLATE NOCASE UNIQUE, created_at INTEGER NOT NULL
                );
                CREATE TABLE thing (
                    row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, owner_id TEXT NOT NULL REFERENCES owner (id) ON DELETE CASCADE,
                    title TEXT NOT NULL, flag INTEGER, number INTEGER, ratio REAL, price TEXT, body BLOB, moment INTEGER, details TEXT,
                    tags TEXT
                );
                CREATE INDEX thing_owner ON thing (owner_id);
                CREATE VIRTUAL TABLE thing_search USING fts5 (title, content = 'thing', content_rowid = 'row');
                CREATE TRIGGER thing_search_insert AFTER INSERT ON thing BEGIN
                    INSERT INTO thing_search (rowid, title) VALUES (new.row, new.title);
                END;
                CREATE TRIGGER thing_search_delete AFTER DELETE ON thing BEGIN
                    INSERT INTO thing_search (thing_search, rowid, title) VALUES ('delete', old.row, old.title);
                END;
                CREATE TRIGGER thing_search_update AFTER UPDATE ON thing BEGIN
                    INSERT INTO thing_search (thing_search, rowid, title) VALUES ('delete', old.row, old.title);
                    INSERT INTO thing_search (rowid, title) VALUES (new.row, new.title);
                END;
                CREATE TABLE entry (id INTEGER PRIMARY KEY AUTOINCREMENT, note TEXT NOT NULL);
                CREATE TABLE label (
                    thing_id TEXT NOT NULL REFERENCES thing (id) ON DELETE CASCADE, word TEXT NOT NULL, PRIMARY KEY (thing_id, word)
                );
                """,
            postgres: """
                CREATE TABLE owner (id uuid PRIMARY KEY, email text NOT NULL, created_at timestamptz NOT NULL);
                CREATE UNIQUE INDEX owner_email ON owner (lower(email COLLATE "C"));
                CREATE TABLE thing (
                    id uuid PRIMARY KEY, owner_id uuid NOT NULL REFERENCES owner (id) ON DELETE CASCADE, title text NOT NULL, flag boolean,
                    number bigint, ratio double precision, price numeric, body bytea, moment timestamptz, details jsonb, tags text[],
                    words tsvector GENERATED ALWAYS AS (to_tsvector('simple', title)) STORED
                );
                CREATE INDEX thing_owner ON thing (owner_id);
                CREATE TABLE entry (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text NOT NULL);
                CREATE TABLE label (
                    thing_id uuid NOT NULL REFERENCES thing (id) ON DELETE CASCADE, word text NOT NULL, PRIMARY KEY (thing_id, word)
                );
                """)
    ]

    /// Fills the tables with `count` things, the same for the same seed.
    static func fill(_ database: any Database, count: Int, seed: UInt64 = 1) async throws {
        var chance = SeededNumbers(seed: seed)
        let owners = (0..<max(1, count / 20)).map { _ in chance.uuid() }
        try await database.transaction { [owners] transaction in
            for (number, owner) in owners.enumerated() {
                let moment = Date(timeIntervalSince1970: 1_700_000_000 + Double(number) / 1000)
                try await transaction.change("INSERT INTO owner VALUES (\(owner), \("owner\(number)@example.org"), \(moment))")
            }
        }
        let things = (0..<count).map { _ in (owner: owners[chance.below(owners.count)], thing: CopiedThing(&chance)) }
        // Several transactions: the time of one is bounded.
        for start in stride(from: 0, to: count, by: 200) {
            try await database.transaction { transaction in
                for (number, pair) in things.enumerated().dropFirst(start).prefix(200) {
                    try await insert(pair.thing, number, owner: pair.owner, in: transaction)
                }
            }
        }
    }

    private static func insert(_ thing: CopiedThing, _ number: Int, owner: UUID, in transaction: any Transaction) async throws {
        try await transaction.change(thing.insertion(owner: owner))
        if number.isMultiple(of: 3) { try await transaction.change("INSERT INTO entry (note) VALUES (\(thing.title))") }
        if number.isMultiple(of: 2) { try await transaction.change("INSERT INTO label VALUES (\(thing.id), 'é'), (\(thing.id), 'Z')") }
    }
}

/// A row of `thing`.
struct CopiedThing: Sendable {
    let id: UUID
    let title: String
    private let values: [SQLValue]

    init(_ chance: inout SeededNumbers) {
        id = chance.uuid()
        title = Self.titles[chance.below(Self.titles.count)] + " \(chance.below(1_000_000))"
        let latest = 253_402_300_799_999
        values = [
            .bool(chance.below(2) == 0), .int([.min, -1, 0, 7, .max][chance.below(5)]),
            .double([0, -0.0, 0.1, 1e300, -5e-324, 3][chance.below(6)]),
            .decimal(Decimal(sign: .minus, exponent: -chance.below(20), significand: Decimal(chance.below(1_000_000_000)))),
            .bytes((0..<chance.below(40)).map { _ in UInt8(chance.below(256)) }),
            .timestamp(Date(timeIntervalSince1970: Double(chance.below(latest)) / 1000)),
            .json(Self.documents[chance.below(Self.documents.count)]),
            .texts((0..<chance.below(4)).map { _ in Self.titles[chance.below(Self.titles.count)] }),
        ].map { chance.below(6) == 0 ? .null : $0 }
    }

    func insertion(owner: UUID) -> SQL {
        """
        INSERT INTO thing (id, owner_id, title, flag, number, ratio, price, body, moment, details, tags)
        VALUES \(list: [.uuid(id), .uuid(owner), .text(title)] + values)
        """
    }

    private static let titles = ["plain", "e\u{301}", "\u{E9}", "👩‍👩‍👧‍👦", "quote\"'\\", "{a,b}", "NULL", " ", "\u{10FFFF}", "line\nbreak"]
    private static let documents = [
        "[]", "{}", "null", "\"é\\n\"", "[1, 2.50, 1e2, -0, 12345678901234567890.123]", #"{"zz": 1, "a": {"é": [true, false, null]}}"#,
    ]
}

extension SeededNumbers {
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    mutating func uuid() -> UUID {
        let (high, low) = (next(), next())
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: high >> ($0 * 8)) } + (0..<8).map { UInt8(truncatingIfNeeded: low >> ($0 * 8)) }
        return bytes.withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
    }
}
