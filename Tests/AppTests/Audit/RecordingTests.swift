import Foundation
import MartletApp
import MartletAudit
import MartletAuditAPI
import MartletClient
import MartletContract
import MartletCore
import MartletIdentity
import MartletIdentityAPI
import MartletJobs
import MartletJobsAPI
import MartletStorage
import MartletTelemetry
import MartletTestKit
import MartletTestSupport
import NIOHTTP1
import Testing

@Suite("The audit log records", .everyDatabase)
struct AuditLogRecords {
    @Test func aRegistrationWithWhereItCameFrom() async throws {
        try await withApp { app in
            let answer = try await app.register(headers: [("X-Request-ID", "registration-1")])
            let id = try answer.json()["user"]?["id"]?.text
            let row = try #require(try await app.audited("auth.registered").first)
            #expect(row.actorKind == "anonymous" && row.targetKind == "account" && row.targetID == id)
            #expect(row.requestID == "registration-1" && row.address == "127.0.0.1" && row.outcome == "succeeded")
            #expect(try await app.audited("auth.logged_in").isEmpty)
        }
    }

    @Test func aLogin() async throws {
        try await withApp { app in
            let id = try await app.id(try await app.token("ada"))
            #expect(try await app.logIn("ada", Registration.password).status == 200)
            let row = try #require(try await app.audited("auth.logged_in").first)
            #expect(row.actorKind == "account" && row.actorID?.description == id)
        }
    }

    @Test func aLoginThatFailsWithoutWhatWasTyped() async throws {
        try await withApp { app in
            let id = try await app.id(try await app.token("ada"))
            #expect(try await app.logIn("ada", "wrong password").status == 401)
            let row = try await app.auditedSoon("auth.login_failed")
            #expect(row.actorKind == "anonymous" && row.targetID == id && row.outcome == "failed" && row.address == "127.0.0.1")
        }
    }

    @Test func aLoginOfNobodyWithoutATarget() async throws {
        try await withApp { app in
            #expect(try await app.logIn("my-password-by-mistake", "wrong password").status == 401)
            let row = try await app.auditedSoon("auth.login_failed")
            #expect(row.targetKind == nil && row.targetID == nil && row.stateAfter == nil)
        }
    }

    @Test func aLogoutOnce() async throws {
        try await withApp { app in
            let session = try await app.client.register(.of("ada"))
            for _ in 0..<2 { #expect(try await app.logOut(session.refreshToken?.raw ?? "").status == 204) }
            let rows = try await app.audited("auth.logged_out")
            #expect(rows.count == 1 && rows[0].targetID == "\(session.user.id)" && rows[0].stateAfter?.contains("session") == true)
        }
    }

    @Test func theReuseOfARefreshToken() async throws {
        let clock = MovableClock()
        try await withApp(clock: clock.reading) { app in
            let session = try await app.client.register(.of("ada"))
            let token = session.refreshToken?.raw ?? ""
            #expect(try await app.refresh(token).status == 200)
            clock.advance(by: .seconds(60))
            #expect(try await app.refresh(token).status == 401)
            let row = try #require(try await app.audited("auth.refresh_token_reused").first)
            #expect(row.targetID == "\(session.user.id)" && row.outcome == "refused")
        }
    }

    @Test func whoBecomesAnOperatorAndIsOneNoMore() async throws {
        try await withApp { app in
            let id = try await app.id(try await app.token("ada"))
            _ = try await app.operatorToken()
            let operators = app.app.operators
            try await CurrentRequest.$origin.withValue(Origin(.console)) {
                try await operators.appoint("ada")
                try await operators.dismiss("ada@example.org")
            }
            let rows = try await app.audited("operator.appointed").suffix(1) + app.audited("operator.dismissed")
            #expect(rows.map(\.targetID) == [id, id] && rows.map(\.actorKind) == ["console", "console"])
            #expect(rows.allSatisfy { $0.requestID == nil && $0.address == nil })
        }
    }

    @Test func whatIsChosenToBeLogged() async throws {
        try await withApp { app in
            let token = try await app.operatorToken()
            let path = "/api/v1/admin/log-levels"
            #expect(try await app.raw(.PUT, path, token: token, json: #"{"levels":{"martlet.jobs":"debug"}}"#).status == 200)
            #expect(try await app.raw(.DELETE, path, token: token).status == 200)
            let changed = try #require(try await app.audited("log_levels.changed").first)
            #expect(changed.stateAfter == #"{"levels":"martlet.jobs=debug","seconds":900}"#)
            #expect(try await changed.actorID?.description == app.id(token))
            #expect(try await app.audited("log_levels.reset").count == 1)
        }
    }

    @Test func whoSteersOthersJobs() async throws {
        try await withApp { app in
            let token = try await app.operatorToken()
            let id = try await app.enqueueErrand()
            for step in ["cancel", "cancel", "retry"] {
                #expect(try await app.raw(.POST, "/api/v1/admin/jobs/\(id)/\(step)", token: token).status == 200)
            }
            #expect(try await app.raw(.POST, "/api/v1/admin/jobs/\(id)/retry", token: token).status == 409)
            for action in ["job.cancelled", "job.retried"] {
                let rows = try await app.audited(action)
                #expect(rows.count == 1 && rows[0].targetKind == "job" && rows[0].targetID == id, "\(action)")
                #expect(try await rows[0].actorID?.description == app.id(token), "\(action)")
            }
        }
    }

    @Test func whoIsRefusedForAPermission() async throws {
        try await withApp { app in
            let token = try await app.token("ada")
            #expect(try await app.raw(.GET, "/api/v1/admin/audit", token: token).status == 403)
            let row = try await app.auditedSoon("permission.refused")
            #expect(row.targetKind == "endpoint" && row.targetID == "GET /api/v1/admin/audit" && row.outcome == "refused")
            #expect(row.stateAfter == #"{"permission":"audit:read"}"#)
            #expect(try await row.actorID?.description == app.id(token))
            #expect(row.requestID != nil && row.address == "127.0.0.1")
        }
    }
}

/// Where the row cannot be written, what it tells of does not happen.
@Suite("What cannot be recorded", .oneInstance)
struct WhatCannotBeRecorded {
    @Test func isNoRegistration() async throws {
        try await withApp { app in
            try await app.loseAuditTable()
            #expect(try await app.register().status == 500)
            #expect(try await app.app.database.first(Int.self, "SELECT count(*) FROM account") == 0)
        }
    }

    @Test func isNoLogin() async throws {
        try await withApp { app in
            _ = try await app.token("ada")
            try await app.loseAuditTable()
            #expect(try await app.logIn("ada", Registration.password).status == 500)
            #expect(try await app.app.database.first(Int.self, "SELECT count(*) FROM session") == 1)
        }
    }

    @Test func isNoLogout() async throws {
        try await withApp { app in
            let session = try await app.client.register(.of("ada"))
            try await app.loseAuditTable()
            #expect(try await app.logOut(session.refreshToken?.raw ?? "").status == 500)
            #expect(try await app.me(session.accessToken).status == 200)
        }
    }

    @Test func makesNoOperator() async throws {
        try await withApp { app in
            _ = try await app.token("ada")
            try await app.loseAuditTable()
            await #expect(throws: (any Error).self) { try await app.app.operators.appoint("ada") }
            #expect(try await app.app.database.first(Bool.self, "SELECT EXISTS (SELECT 1 FROM account_role)") == false)
        }
    }

    @Test func changesNothingThatIsLogged() async throws {
        let logs = Logs()
        try await withApp(logs: logs) { app in
            let token = try await app.operatorToken()
            try await app.loseAuditTable()
            let answer = try await app.raw(.PUT, "/api/v1/admin/log-levels", token: token, json: #"{"levels":{"a":"debug"}}"#)
            #expect(answer.status == 500 && logs.levels.changes.isEmpty)
        }
    }

    @Test func steersNoJob() async throws {
        try await withApp { app in
            let token = try await app.operatorToken()
            let id = try await app.enqueueErrand()
            try await app.loseAuditTable()
            #expect(try await app.raw(.POST, "/api/v1/admin/jobs/\(id)/cancel", token: token).status == 500)
            #expect(try await app.raw(.GET, "/api/v1/admin/jobs/\(id)", token: token).json()["state"] == "ready")
        }
    }

    @Test func whileARefusalOnlyNotedStaysARefusal() async throws {
        try await withApp { app in
            let token = try await app.token("ada")
            try await app.loseAuditTable()
            #expect(try await app.raw(.GET, "/api/v1/admin/jobs", token: token).status == 403)
            #expect(try await app.logIn("ada", "wrong password").status == 401)
        }
    }
}

@Suite("What did not happen", .everyDatabase)
struct WhatDidNotHappen {
    @Test func isNotInTheLog() async throws {
        try await withApp { app in
            _ = try await app.token("ada")
            #expect(try await app.register().status == 409)
            #expect(try await app.audited("auth.registered").count == 1)
            let audit = app.app.audit
            await #expect(throws: Undone.self) {
                try await app.app.database.transaction { transaction in
                    try await audit.record(AuditEvent(.tested), in: transaction)
                    throw Undone()
                }
            }
            #expect(try await app.audited("test.done").isEmpty)
            #expect(try await app.auditFault() == nil)
        }
    }

    private struct Undone: Error {}
}

extension TestApp {
    /// The identifier of a job that is ready, and nobody's.
    func enqueueErrand() async throws -> String {
        try await app.database.transaction { "\(try await Jobs().enqueue(Errand(), in: $0).id)" }
    }
}

private struct Errand: Job {
    static let name = "test.audited"

    func run(_ work: Work<Errand>, with _: Void) async throws -> Outcome { .done }
}
