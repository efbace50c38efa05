import Foundation
import MartletAuditAPI
import MartletContract
import MartletCore
import MartletTestKit
import MartletTestSupport
import NIOHTTP1
import Testing

@testable import MartletAudit

@Suite("What waits to be written to the audit log")
struct WhatWaitsToBeWritten {
    private let noon = Date(timeIntervalSince1970: 1_900_000_000)

    private func occurrence(_ number: Int, request: String = "a") -> Occurrence {
        CurrentRequest.$id.withValue(request) {
            Occurrence(event: AuditEvent(.tested, after: ["number": .number(number)]), moment: noon)
        }
    }

    @Test func isOneOfEachHoweverOftenItIsRepeated() {
        var backlog = AuditBacklog()
        for number in [1, 2, 1, 1] { backlog.add(occurrence(number, request: "\(number)-\(UUID())")) }
        let batch = backlog.next(10, at: noon)
        #expect(batch.map(\.times) == [3, 1])
        #expect(batch.map(\.event.after) == [["number": 1], ["number": 2]])
        #expect(backlog.next(10, at: noon).isEmpty)
    }

    @Test func isFoundAgainAfterSomeWasTaken() {
        var backlog = AuditBacklog()
        for number in 0..<5 { backlog.add(occurrence(number)) }
        #expect(backlog.next(2, at: noon).count == 2)
        for number in 0..<5 { backlog.add(occurrence(number)) }
        #expect(backlog.next(10, at: noon).map(\.times) == [2, 2, 2, 1, 1])
    }

    @Test func isBoundedAndSaysWhatWasLost() throws {
        var backlog = AuditBacklog()
        for number in 0..<(AuditBacklog.most + 7) { backlog.add(occurrence(number)) }
        let batch = backlog.next(AuditBacklog.most, at: noon)
        #expect(batch.count == AuditBacklog.most + 1)
        let last = try #require(batch.last?.event)
        #expect(last.action == .entriesLost && last.after == ["entries": 7])
        backlog.add(occurrence(0))
        #expect(backlog.next(10, at: noon).count == 1)
    }
}

@Suite("A caller who is refused again and again", .everyDatabase)
struct CallerWhoIsRefusedAgainAndAgain {
    @Test func isInTheLogAsOftenWithFewRows() async throws {
        try await withApp { app in
            let token = try await app.token("ada")
            let statuses = try await manyAtOnce(300) { _ in try await app.raw(.GET, "/api/v1/admin/jobs", token: token).status }
            #expect(Set(statuses) == [403])
            try await eventually {
                try await app.audited("permission.refused").reduce(0) { $0 + $1.times } == 300
            }
            #expect(try await app.audited("permission.refused").count < 100)
            #expect(try await app.auditFault() == nil)
        }
    }
}

extension AuditedRow {
    fileprivate var times: Int {
        let facts = stateAfter.flatMap { try? WireJSON.parse($0.utf8) }
        return facts?["times"]?.integer ?? 1
    }
}

@Suite("The facts of an audit event")
struct FactsOfAnAuditEvent {
    @Test(arguments: [
        "password", "newPassword", "refresh_token", "secret", "api_key", "Authorization", "cookie", "client_secret", "credentials",
    ])
    func haveNoValueUnderANameOfSecrets(name: String) throws {
        #expect(try AuditFacts([name: .text("canary")]).text.contains("canary") == false)
        #expect(try AuditFacts([name: .texts(["canary"])]).text.contains("canary") == false)
        #expect(try AuditFacts([name: .number(4711)]).text.contains("4711") == false)
    }

    @Test(arguments: [
        Canary.webToken, "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA", "Bearer canary-0123456789", "postgres://u:canary@host/db",
        String(repeating: "0af", count: 22), "password=canary",
    ])
    func haveNoTextThatLooksLikeASecret(text: String) throws {
        let told = try AuditFacts(["note": .text(text), "notes": .texts(["plain", text])]).text
        #expect(!told.contains(text) && !told.contains("canary") && told.contains("plain"))
    }

    @Test func keepWhatIsNoSecret() throws {
        let facts: AuditFacts = ["b": "text", "a": 1, "c": true, "d": .texts(["x", "y"]), "id": "019bc05e-9a40-7c3d-8e11-5f0a4b7d2291"]
        #expect(try facts.text == #"{"a":1,"b":"text","c":true,"d":["x","y"],"id":"019bc05e-9a40-7c3d-8e11-5f0a4b7d2291"}"#)
    }

    @Test func areCutWhereTheyAreLong() throws {
        #expect(try AuditFacts(["text": .text(String(repeating: "a b ", count: 1_000))]).text.utf8.count < 600)
    }
}

@Suite("The bytes that a row's hash is made of")
struct BytesOfARowsHash {
    @Test func areDifferentForDifferentFields() {
        func bytes(_ fields: String?...) -> [UInt8] {
            var bytes = CanonicalBytes(purpose: "test")
            for field in fields { bytes.add(field) }
            return bytes.bytes
        }
        let all = [
            bytes("ab", "c"), bytes("a", "bc"), bytes("abc"), bytes("abc", ""), bytes("abc", nil), bytes(nil, "abc"), bytes("", "abc"),
            bytes(nil, nil), bytes("", ""), bytes("", nil),
        ]
        #expect(Set(all).count == all.count)
    }
}
