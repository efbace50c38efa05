import Foundation
import MartletApp
import MartletAudit
import MartletAuditAPI
import MartletCore
import MartletSettings
import MartletStorage
import MartletTestKit
import MartletTestSupport
import Testing

@Suite("The chain of the audit log", .everyDatabase)
struct ChainOfTheAuditLog {
    @Test(arguments: [Isolation.readCommitted, .serializable])
    func isUnbrokenHoweverManyWriteAtOnce(isolation: Isolation) async throws {
        let count = isolation == .readCommitted ? 200 : 40
        try await withApp { app in
            _ = try await manyAtOnce(count) { number in
                let instance = app.instances[number % app.instances.count]
                try await instance.database.transaction(isolation: isolation) { transaction in
                    try await instance.audit.record(AuditEvent(.tested, after: ["number": .number(number)]), in: transaction)
                }
            }
            let rows = try await app.audited("test.done")
            #expect(rows.map(\.sequence) == Array(1...count))
            #expect(Set(rows.compactMap(\.stateAfter)).count == count)
            let finding = try #require(try await app.verifyAudit().first)
            #expect(finding.fault == nil && finding.rows == count && finding.head.sequence == Int64(count))
        }
    }

    @Test func isEachOrganisationsOwn() async throws {
        try await withApp { app in
            let organisations = (0..<3).map { _ in UUID() }
            _ = try await manyAtOnce(60) { number in
                let instance = app.instances[number % app.instances.count]
                // Two chains in one transaction, named in either order.
                let (first, second) = (organisations[number % 3], organisations[(number + 1) % 3])
                try await instance.database.transaction(isolation: .readCommitted) { transaction in
                    try await instance.audit.record(
                        [AuditEvent(.tested, in: first), AuditEvent(.tested, in: second)], in: transaction)
                }
            }
            let findings = try await app.verifyAudit().filter { $0.organisation != nil }
            #expect(Set(findings.compactMap(\.organisation)) == Set(organisations))
            #expect(findings.allSatisfy { $0.fault == nil && $0.rows == 40 })
        }
    }

    @Test func isNeitherChangedNorShortenedByTheApplication() async throws {
        try await withApp { app in
            try await app.recordSome(3)
            for statement: SQL in [
                "UPDATE audit_event SET action = 'test.other' WHERE sequence = 2", "DELETE FROM audit_event WHERE sequence = 3",
                "DELETE FROM audit_event",
            ] {
                let failure = await #expect(throws: SQLFailure.self) { try await app.app.database.change(statement) }
                #expect(failure?.kind == .check)
            }
            #expect(try await app.audited("test.done").count == 3)
        }
    }
}

/// What the owner of the database can do, and what is said of it.
@Suite("Whoever tampers with the audit log", .oneInstance)
struct WhoeverTampersWithTheAuditLog {
    @Test(arguments: [
        "action = 'test.other'", "outcome = 'failed'", "actor_kind = 'console'", "address = NULL", "state_after = NULL",
        "request_id = 'another'", "target_kind = 'x', target_id = 'y'", "hash = previous_hash",
    ])
    func isNamedByTheRowThatWasChanged(change: String) async throws {
        try await withApp { app in
            try await app.recordSome(5)
            #expect(try await app.auditFault() == nil)
            try await app.tamper("UPDATE audit_event SET \(unsafeRaw: change) WHERE sequence = 3")
            #expect(try await app.auditFault() == "Row 3 is not what was written: its hash is another one.")
        }
    }

    @Test func isNamedByTheMomentThatWasChanged() async throws {
        try await withApp { app in
            try await app.recordSome(5)
            try await app.tamper("UPDATE audit_event SET occurred_at = \(Date(timeIntervalSince1970: 1_000_000_000)) WHERE sequence = 4")
            #expect(try await app.auditFault() == "Row 4 is not what was written: its hash is another one.")
        }
    }

    @Test func isNamedByARowThatIsMissing() async throws {
        try await withApp { app in
            try await app.recordSome(5)
            try await app.tamper("DELETE FROM audit_event WHERE sequence = 2")
            #expect(try await app.auditFault() == "Row 2 is missing: row 3 follows row 1.")
        }
    }

    @Test(arguments: [1, 5]) func isNamedByAnEndThatIsMissing(sequence: Int) async throws {
        try await withApp { app in
            try await app.recordSome(5)
            try await app.tamper("DELETE FROM audit_event WHERE sequence = \(sequence)")
            #expect(try await app.auditFault()?.hasPrefix("Row \(sequence) is missing") == true)
        }
    }

    @Test func isNamedByRowsThatChangedPlaces() async throws {
        try await withApp { app in
            try await app.recordSome(5)
            try await app.tamper(
                "UPDATE audit_event SET sequence = 100 WHERE sequence = 2", "UPDATE audit_event SET sequence = 2 WHERE sequence = 3",
                "UPDATE audit_event SET sequence = 3 WHERE sequence = 100")
            #expect(try await app.auditFault() == "Row 2 does not follow the row before it: it names another hash.")
        }
    }

    @Test func isNamedByAHeadThatWasSetBackWithItsRows() async throws {
        try await withApp { app in
            try await app.recordSome(5)
            try await app.tamper(
                "UPDATE audit_chain SET head_sequence = 4, head_hash = (SELECT hash FROM audit_event WHERE sequence = 4)",
                "DELETE FROM audit_event WHERE sequence = 5")
            #expect(try await app.auditFault() == "The signature of its head is not by a known key.")
        }
    }

    @Test func isNamedByAPruningThatDidNotHappen() async throws {
        try await withApp { app in
            try await app.recordSome(5)
            try await app.app.database.change(
                "UPDATE audit_chain SET pruned_sequence = 2, pruned_hash = (SELECT hash FROM audit_event WHERE sequence = 2)")
            // The trigger lets these go; the signature does not.
            #expect(try await app.app.database.change("DELETE FROM audit_event WHERE sequence <= 2") == 2)
            #expect(try await app.auditFault() == "The signature of its head is not by a known key.")
        }
    }

    @Test func isNamedByAKeyThatNobodyKnows() async throws {
        try await withApp { app in
            try await app.recordSome(2)
            let other = AuditKeys(secret: Array(repeating: 7, count: 32))
            let stranger = try await AuditVerifier(app.app.database, keys: other).verify()
            #expect(stranger.first?.fault == "The signature of its head is not by a known key.")
            // After a change of the secret the one before it is still recognised.
            let secret = app.app.settings.secretKey.unsafeRevealBytes()
            let rotated = AuditKeys(secret: Array(repeating: 7, count: 32), previous: [secret])
            #expect(try await AuditVerifier(app.app.database, keys: rotated).verify().first?.fault == nil)
        }
    }
}

extension TestApp {
    /// The same in one transaction.
    func recordAtOnce(_ count: Int) async throws {
        let audit = app.audit
        let events = (1...count).map { AuditEvent(.tested, after: ["number": .number($0)]) }
        try await app.database.transaction(isolation: .readCommitted) { try await audit.record(events, in: $0) }
    }

    /// Rows 1 to that many of the instance's chain.
    func recordSome(_ count: Int) async throws {
        for number in 1...count {
            try await CurrentRequest.$id.withValue("request-\(number)") {
                try await CurrentRequest.$origin.withValue(Origin(.anonymous, at: IPAddress("192.0.2.\(number)"))) {
                    try await app.audit.record(AuditEvent(.tested, after: ["number": .number(number)]))
                }
            }
        }
    }
}
