import Foundation
import MartletApp
import MartletAudit
import MartletAuditAPI
import MartletContract
import MartletCore
import MartletStorage
import MartletTestKit
import MartletTestSupport
import NIOHTTP1
import Testing

extension TestApp {
    /// A page of the log, as an operator reads it.
    func auditPage(_ query: String = "", token: String) async throws -> Page<AuditEntry> {
        let answer = try await raw(.GET, "/api/v1/admin/audit\(query)", token: token)
        try #require(answer.status == 200, "\(answer.text)")
        return try WireJSON.decode(Page<AuditEntry>.self, from: answer.bytes)
    }

    /// Every row of an action, oldest first, without asking over HTTP.
    func audited(_ action: String) async throws -> [AuditedRow] {
        try await app.database.all(
            AuditedRow.self,
            """
            SELECT sequence, actor_kind, actor_id, action, target_kind, target_id, outcome, request_id, address, state_before, state_after
            FROM audit_event WHERE action = \(action) ORDER BY sequence
            """)
    }

    /// The one row of an action, once it is there: what is only noted is written a moment later.
    func auditedSoon(_ action: String) async throws -> AuditedRow {
        try await eventually("\(action) is recorded") { try await !audited(action).isEmpty }
        let rows = try await audited(action)
        #expect(rows.count == 1)
        return rows[0]
    }

    func verifyAudit() async throws -> [AuditVerifier.Finding] {
        try await AuditVerifier(app.database, keys: AuditKeys(app.settings)).verify()
    }

    /// What is wrong with the instance's chain; `nil` when nothing is.
    func auditFault() async throws -> String? {
        try await verifyAudit().first { $0.organisation == nil }?.fault
    }

    /// The log in which nothing can be written any more.
    func loseAuditTable() async throws {
        try await app.database.change("ALTER TABLE audit_event RENAME TO audit_event_away")
    }

    /// Does what the application cannot: whoever owns the database can take its triggers away.
    func tamper(_ statements: SQL...) async throws {
        let script =
            app.database.dialect == .sqlite
            ? "DROP TRIGGER audit_event_stays; DROP TRIGGER audit_event_is_kept;" : "ALTER TABLE audit_event DISABLE TRIGGER USER;"
        try await app.database.schemaTransaction { try await $0.run(script: script) }
        for statement in statements { #expect(try await app.database.change(statement) > 0) }
    }

    func id(_ token: String) async throws -> String {
        try #require(try await me(token).json()["id"]?.text)
    }
}

struct AuditedRow: Decodable, Sendable {
    let sequence: Int
    let actorKind: String
    let actorID: Identifier<Account>?
    let action: String
    let targetKind: String?
    let targetID: String?
    let outcome: String
    let requestID: String?
    let address: String?
    let stateBefore: String?
    let stateAfter: String?
}

extension AuditAction {
    static let tested = AuditAction("test.done")
}
