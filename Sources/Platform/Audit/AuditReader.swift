import Foundation
import MartletAuditAPI
import MartletContract
import MartletCore
import MartletStorage

/// The log, for those who may read it.
struct AuditReader: Sendable {
    private let database: any Queries

    init(_ database: any Queries) {
        self.database = database
    }

    /// Newest first.
    func page(_ filter: AuditFilter) async throws -> Page<AuditEntry> {
        var conditions = Self.conditions(filter)
        if let last = try filter.cursor?.position(of: AuditEntry.self) {
            conditions.append("(occurred_at, id) < (\(last.moment), \(last.identifier))")
        }
        let limit = filter.limit?.raw ?? PageLimit.standard
        let entries = try await entries(conditions, "occurred_at DESC, id DESC", limit + 1)
        let items = Array(entries.prefix(limit))
        return Page(items: items, next: entries.count > limit ? items.last.map { Cursor(after: $0.occurredAt, $0.id) } : nil)
    }

    /// Oldest first, behind an entry, as long as they are not younger than a moment.
    func next(_ filter: AuditExport, after last: AuditEntry?, until end: Date, limit: Int) async throws -> [AuditEntry] {
        var conditions = Self.conditions(filter) + ["occurred_at <= \(end)"]
        if let last { conditions.append("(occurred_at, id) > (\(last.occurredAt), \(last.id))") }
        return try await entries(conditions, "occurred_at, id", limit)
    }

    private func entries(_ conditions: [SQL], _ order: SQL, _ limit: Int) async throws -> [AuditEntry] {
        let condition: SQL = conditions.isEmpty ? "" : "WHERE \(SQL.joined(conditions, by: " AND "))"
        return try await database.all(
            AuditRow.self, "SELECT \(AuditRow.columns) FROM audit_event \(condition) ORDER BY \(order) LIMIT \(limit)"
        ).map { try $0.entry() }
    }

    private static func conditions(_ filter: some AuditConditions) -> [SQL] {
        var conditions: [SQL] = []
        if let actor = filter.actor { conditions.append("actor_id = \(actor)") }
        // A literal: the engines do not agree on the type of a parameter there. Names are ASCII.
        if let action = filter.action { conditions.append("substr(action, 1, \(unsafeRaw: "\(action.raw.utf8.count)")) = \(action.raw)") }
        if let kind = filter.targetKind { conditions.append("target_kind = \(kind.raw)") }
        if let id = filter.targetId { conditions.append("target_id = \(id.raw)") }
        if let organisation = filter.organisation { conditions.append("chain_id = \(organisation)") }
        if let outcome = filter.outcome { conditions.append("outcome = \(outcome)") }
        if let from = filter.from { conditions.append("occurred_at >= \(from)") }
        if let to = filter.to { conditions.append("occurred_at < \(to)") }
        return conditions
    }
}
