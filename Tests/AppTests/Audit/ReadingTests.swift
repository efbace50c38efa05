import Foundation
import MartletApp
import MartletAudit
import MartletAuditAPI
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletTestKit
import MartletTestSupport
import NIOHTTP1
import Testing

@Suite("Operators who read the audit log", .everyDatabase)
struct OperatorsWhoReadTheAuditLog {
    @Test func findWhatTheyAskFor() async throws {
        let clock = MovableClock()
        try await withApp(clock: clock.reading) { app in
            let token = try await app.operatorToken()
            let grace = try await app.id(token)
            let organisation = UUID()
            clock.advance(by: .seconds(600))
            let moment = Timestamp.text(clock.now)
            try await app.app.audit.record(AuditEvent(.tested, on: AuditTarget(kind: "thing", id: "a b&c"), in: organisation))
            clock.advance(by: .seconds(60))
            func actions(_ query: String) async throws -> [String] {
                try await app.auditPage("?\(query)", token: token).items.map(\.action)
            }
            #expect(try await actions("action=auth.") == ["auth.logged_in", "auth.registered"])
            #expect(try await actions("action=auth.reg") == ["auth.registered"])
            #expect(try await actions("action=auth_") == [])
            #expect(try await actions("actor=\(grace)") == ["auth.logged_in"])
            #expect(try await actions("target_kind=account&target_id=\(grace)") == ["operator.appointed", "auth.registered"])
            #expect(try await actions("target_id=a%20b%26c") == ["test.done"])
            #expect(try await actions("organisation=\(organisation.uuidString)") == ["test.done"])
            #expect(try await actions("from=\(moment)") == ["test.done"])
            #expect(try await actions("to=\(moment)").count == 3)
            #expect(try await actions("outcome=refused") == [])
            #expect(try await actions("actor=\(grace)&outcome=succeeded&action=auth.") == ["auth.logged_in"])
        }
    }

    @Test func seeEachRowOnceOverAllPages() async throws {
        let clock = MovableClock()
        try await withApp(clock: clock.reading) { app in
            let token = try await app.operatorToken()
            // Many of one moment: the identifier tells them apart.
            try await app.recordSome(25)
            var (seen, cursor): ([AuditEntry], String?) = ([], nil)
            repeat {
                let page = try await app.auditPage("?action=test.&limit=10" + (cursor.map { "&cursor=\($0)" } ?? ""), token: token)
                seen += page.items
                cursor = page.next?.raw
            } while cursor != nil
            #expect(seen.map(\.sequence) == seen.map(\.sequence).sorted(by: >))
            #expect(seen.count == 25 && Set(seen.map(\.id)).count == 25)
            let first = try #require(seen.last)
            #expect(first.after?["number"] == 1 && first.requestId == "request-1" && first.address == "192.0.2.1")
            #expect(first.hash.wholeMatch(of: /[0-9a-f]{64}/) != nil && first.organisation == nil)
        }
    }

    @Test func takeItAsAFile() async throws {
        try await withApp { app in
            let token = try await app.operatorToken()
            // More than one batch.
            try await app.recordAtOnce(600)
            let jsonl = try await app.raw(.GET, "/api/v1/admin/audit/export?format=jsonl&action=test.", token: token)
            #expect(jsonl.headers.first(name: "Content-Type") == "application/jsonl")
            let entries = try jsonl.text.split(separator: "\n").map { try WireJSON.decode(AuditEntry.self, from: $0.utf8) }
            #expect(entries.map { $0.after?["number"]?.integer } == (1...600).map { Optional($0) })

            let csv = try await app.raw(.GET, "/api/v1/admin/audit/export?action=test.", token: token)
            #expect(csv.headers.first(name: "Content-Type")?.hasPrefix("text/csv") == true)
            #expect(csv.headers.first(name: "Content-Disposition")?.contains("audit.csv") == true)
            let lines = csv.bytes.split(separator: 0x0A)
            #expect(lines.count == 601 && lines.allSatisfy { $0.last == 0x0D })
            #expect(lines.first.map { String(decoding: $0, as: UTF8.self) }?.hasPrefix(#""id","organisation","sequence""#) == true)
        }
    }

    @Test func getNoFormulasAndNoLinesOfOthers() async throws {
        try await withApp { app in
            _ = try await app.register(headers: [("X-Request-ID", "-1.2")])
            let token = try await app.operatorToken()
            let id = "=cmd|' /C calc'!A0\r\n\"injected\",line"
            try await app.app.audit.record(
                AuditEvent(.tested, on: AuditTarget(kind: "+kind", id: id), after: ["@x": "line\nbreak\u{1B}[31m"]))
            let csv = try await app.raw(.GET, "/api/v1/admin/audit/export", token: token).text
            #expect(csv.contains(#","'-1.2","#) && csv.contains(#","'+kind","'=cmd|' /C calc'!A0"#))
            #expect(csv.contains("\"\"injected\"\",line\""))
            #expect(!csv.contains(#","=cmd"#) && !csv.contains(#","-1.2"#) && !csv.contains("\u{1B}"))
            let jsonl = try await app.raw(.GET, "/api/v1/admin/audit/export?format=jsonl&action=test.", token: token).text
            #expect(jsonl.split(separator: "\n").count == 1 && !jsonl.contains("\u{1B}"))
            #expect(try WireJSON.decode(AuditEntry.self, from: jsonl.dropLast().utf8).target?.id == id)
        }
    }

    @Test(arguments: ["", "/export", "/export?format=jsonl"])
    func mustHaveThePermissionAndAreNamedWithoutIt(path: String) async throws {
        try await withApp { app in
            let token = try await app.token("ada")
            let answer = try await app.raw(.GET, "/api/v1/admin/audit\(path)", token: token)
            #expect(answer.status == 403)
            #expect(try answer.problem().code == "permission_missing")
            let row = try await app.auditedSoon("permission.refused")
            #expect(row.targetID == "GET /api/v1/admin/audit\(path.prefix { $0 != "?" })")
        }
    }
}

/// What people confide to the server, in every place, is not in what operators read.
@Suite("The audit log", .everyDatabase)
struct AuditLogOfSecrets {
    @Test func holdsNothingThatWasConfided() async throws {
        try await withApp { app in
            let token = try await app.operatorToken()
            for request in CanaryRequest.known(token: token) {
                let body = request.body.map { Array($0.utf8) }
                _ = try await app.raw(request.method, request.path, token: request.token, headers: request.headers, body: body)
            }
            #expect(try await app.logIn(Canary.password, Canary.token).status == 401)
            try await eventually { try await app.audited("auth.login_failed").count >= 2 }
            let told = try await app.raw(.GET, "/api/v1/admin/audit/export?format=jsonl", token: token).text
            #expect(told.split(separator: "\n").count >= 5)
            #expect(Canary.found(in: told) == [])
            #expect(!told.contains(Registration.password) && !told.contains(token))
        }
    }
}
