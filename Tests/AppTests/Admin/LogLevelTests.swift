import Foundation
import Logging
import MartletAdminAPI
import MartletContract
import MartletCore
import MartletSettings
import MartletTelemetry
import MartletTestKit
import MartletTestSupport
import NIOHTTP1
import Testing

@Suite("Operators who choose what is logged", .everyDatabase)
struct OperatorsWhoChooseWhatIsLogged {
    private static let path = "/api/v1/admin/log-levels"

    @Test func seeTheLevelsOfTheSettings() async throws {
        let logs = try Logs(LogSettings(rules: LogLevelRules(standard: .notice, labels: ["martlet.jobs": .debug]), standardError: false))
        try await withApp(logs: logs) { app in
            let answer = try await app.raw(.GET, Self.path, token: try await app.operatorToken())
            let report = try WireJSON.decode(LogLevelReport.self, from: answer.bytes)
            #expect(report == LogLevelReport(standard: .notice, configured: ["martlet.jobs": .debug], changed: [:]))
        }
    }

    @Test func changeThemForAWhileAndTakeThatBack() async throws {
        let logs = Logs()
        let noon = Date(timeIntervalSince1970: 1_769_860_800)
        try await withApp(clock: WallClock { noon }, logs: logs) { app in
            let token = try await app.operatorToken()
            let answer = try await app.raw(
                .PUT, Self.path, token: token, json: #"{"levels":{"martlet.jobs":"debug"},"expires_in_seconds":60}"#)
            #expect(answer.status == 200)
            let changed = try #require(try WireJSON.decode(LogLevelReport.self, from: answer.bytes).changed["martlet.jobs"])
            #expect(changed.level == .debug)
            #expect((50...60).contains(changed.expiresAt.timeIntervalSince(noon)))
            #expect(logs.logger("martlet.jobs.lease").logLevel == .debug)
            #expect(logs.logger("martlet.http").logLevel == .info)

            #expect(try await app.raw(.DELETE, Self.path, token: token).status == 200)
            #expect(logs.logger("martlet.jobs").logLevel == .info)
        }
    }

    @Test func holdFor15MinutesUnlessTheySayOtherwise() async throws {
        let logs = Logs()
        try await withApp(logs: logs) { app in
            _ = try await app.raw(.PUT, Self.path, token: try await app.operatorToken(), json: #"{"levels":{"a":"trace"}}"#)
            let remaining = try #require(logs.levels.changes["a"]?.remaining)
            #expect((Duration.seconds(840)...Duration.seconds(900)).contains(remaining))
        }
    }

    @Test func areNamedInTheLog() async throws {
        let log = LinesOfLog()
        try await withApp(logger: log.logger) { app in
            let token = try await app.operatorToken()
            let me = try await app.raw(.GET, "/api/v1/auth/me", token: token).json()["id"]?.text
            _ = try await app.raw(.PUT, Self.path, token: token, json: #"{"levels":{"martlet.access":"error"}}"#)
            let line = try #require(log.lines.first { $0.message == "Log levels are changed for a while" })
            #expect(line.level == .notice && line.metadata["user"] == me && line.metadata["levels"] == "martlet.access=error")
        }
    }

    @Test func mustBeOperators() async throws {
        try await withApp { app in
            let answer = try await app.raw(.PUT, Self.path, token: try await app.token(), json: #"{"levels":{"a":"trace"}}"#)
            #expect(answer.status == 403)
            #expect(try answer.problem().code == "permission_missing")
        }
    }

    @Test(arguments: [
        #"{"levels":{}}"#, #"{"levels":{"a b":"info"}}"#, #"{"levels":{"":"info"}}"#, #"{"levels":{"a":"loud"}}"#, #"{"levels":{"a":1}}"#,
        #"{"levels":{"a":"info"},"expires_in_seconds":0}"#, #"{"levels":{"a":"info"},"expires_in_seconds":86401}"#, #"{}"#,
    ])
    func hearWhatIsWrong(json: String) async throws {
        let logs = Logs()
        try await withApp(logs: logs) { app in
            let answer = try await app.raw(.PUT, Self.path, token: try await app.operatorToken(), json: json)
            #expect(answer.status == 422, "\(answer.text)")
            #expect(logs.levels.changes.isEmpty)
        }
    }
}
