// MartletAudit: who did what, when and from where, so that nobody can change it afterwards unnoticed.

import Foundation
public import Logging
public import MartletCore
public import MartletStorage

/// What is to be known later of changes that matter for security and of what operators do.
///
/// Each organisation has a chain of rows, and the instance one of its own: each row holds the hash of the one before it, and the end of a
/// chain is signed. ``AuditVerifier`` finds what was changed, removed or put elsewhere.
public struct AuditLog: Sendable {
    private let database: any Database
    private let keys: AuditKeys
    private let clock: WallClock
    private let queue: AuditQueue

    /// - Parameter logger: Told when what was to be noted is lost.
    public init(_ database: any Database, keys: AuditKeys, clock: WallClock, logger: Logger) {
        (self.database, self.keys, self.clock) = (database, keys, clock)
        queue = AuditQueue(logger: logger, clock: clock) { [database] occurrences in
            try await database.transaction(isolation: .readCommitted) { transaction in
                try await Self.append(occurrences, keys.current, in: transaction)
            }
        }
    }

    /// Records in the transaction of the change: both are committed, or neither is.
    ///
    /// It belongs at the transaction's end, since from here to the commit nobody else appends to the chain; locks taken after it could also
    /// deadlock. A serializable transaction of PostgreSQL that meets another one here is run again: where many meet, `.readCommitted` waits.
    public func record(_ event: AuditEvent, in transaction: any Transaction) async throws {
        try await record([event], in: transaction)
    }

    /// The same for several, which costs hardly more than one. Their order is kept.
    public func record(_ events: [AuditEvent], in transaction: any Transaction) async throws {
        let now = clock.now
        try await Self.append(events.map { Occurrence(event: $0, moment: now) }, keys.current, in: transaction)
    }

    /// Records what is not a change of the database, in a transaction of its own. Do it before what it tells of, so that nothing is done of
    /// which no one will know. Throws `unavailable` when the database is away.
    public func record(_ event: AuditEvent) async throws {
        try await database.transaction(isolation: .readCommitted) { try await record(event, in: $0) }
    }

    /// Records soon what is refused or fails and changes nothing. Costs the caller no statement, and never fails.
    ///
    /// Several are one transaction, so that who is refused a thousand times a second slows nobody. Of what waits, repetitions by the same
    /// caller become one row that says how many times; beyond a bound a row says how many were lost. A process that is killed loses what was
    /// noted in its last moments.
    public func note(_ event: AuditEvent) {
        queue.add(event)
    }

    /// Returns when what was noted is recorded, or given up since the database is away. Nothing is taken afterwards.
    public func close() async {
        await queue.close()
    }

    private static func append(_ occurrences: [Occurrence], _ key: AuditKey, in transaction: any Transaction) async throws {
        let store = AuditStore(transaction)
        // Heads are taken in one order by everybody.
        let chains = Dictionary(grouping: occurrences) { $0.event.organisation ?? AuditHead.instance }
        for (chain, occurrences) in chains.sorted(by: { $0.key.uuidString < $1.key.uuidString }) {
            var head = try await store.head(of: chain, key)
            var rows: [AuditRow] = []
            for occurrence in occurrences {
                let row = try AuditRow(occurrence, after: head)
                head.advance(to: row, key)
                rows.append(row)
            }
            try await store.append(rows, to: head)
        }
    }
}

/// An event, and when it happened.
struct Occurrence: Sendable {
    let event: AuditEvent
    let moment: Date
    /// How often, from that moment on.
    var times = 1
}
