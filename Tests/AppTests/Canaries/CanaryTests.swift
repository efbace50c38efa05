import Foundation
import Logging
import MartletApp
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletSettings
import MartletStorage
import MartletTelemetry
import MartletTestKit
import MartletTestSupport
import NIOHTTP1
import Testing

/// What is confided to the server is not found in what it tells of itself, at the most talkative level and whatever goes wrong.
@Suite("Nothing that is confided to the server", .everyDatabase)
struct NothingConfided {
    @Test func isEverLogged() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let file = folder.path + "/all.log"
        let logs = try Logs(
            LogSettings(rules: LogLevelRules(standard: .trace), file: LogFilePlace(path: file, maximumBytes: 1 << 30), standardError: false)
        )
        var secrets: [String] = []
        try await withApp(logger: logs.logger("martlet"), logs: logs, change: Self.talkative) { app in
            let token = try await app.operatorToken()
            secrets = [
                token, Registration.password, app.app.settings.jwtSecretKey.unsafeReveal(), app.app.settings.secretKey.unsafeReveal(),
            ]
            let sent = try await app.sendCanaries(token: token)
            #expect(sent.count >= 200)
            for status in [200, 201, 400, 401, 404, 405, 409, 413, 415, 422, 500] {
                #expect(sent.contains(status), "no answer was a \(status)")
            }
            #expect(await logs.flush(within: .seconds(60)))
        }
        let text = String(decoding: try #require(FileManager.default.contents(atPath: file)), as: UTF8.self)
        #expect(text.ranges(of: #""logger":"martlet.access""#).count >= 200)
        #expect(text.contains("slow statement") && text.contains("Internal error") && text.contains(#""route":"/api/v1/bookmarks""#))
        for line in text.split(separator: "\n") {
            #expect(Canary.found(in: String(line)) == [], "\(line)")
            #expect(!secrets.contains { line.contains($0) }, "\(line)")
        }
    }

    /// Every statement is slow, every body long, and routes that fail are there.
    private static func talkative(_ settings: inout Settings) {
        settings.testRoutes = true
        settings.slowStatement = .zero
        settings.maximumBodySize = 8 << 10
    }
}

extension TestApp {
    /// Sends canaries everywhere; returns the statuses of the answers. At the end the database is broken, and they are sent again.
    func sendCanaries(token: String) async throws -> [Int] {
        var statuses: [Int] = []
        for named in App.operations {
            for request in try CanaryRequest.all(to: named.operation, token: token) { statuses.append(try await send(request)) }
        }
        for request in CanaryRequest.known(token: token) { statuses.append(try await send(request)) }
        for line in ["GET /\(Canary.path) x", "\(Canary.path) / HTTP/1.1", "GET http://\(Canary.path)@x/", "GET /%\(Canary.path)"] {
            statuses.append((try? await exchange(line, ["Authorization: Bearer \(Canary.token)", "X: \(Canary.field)"]))?.status ?? 0)
        }
        statuses.append(try await exchange("DELETE /health/live?\(Canary.query)").status)
        try await app.database.change("ALTER TABLE bookmark RENAME TO bookmark_away")
        for request in CanaryRequest.known(token: token) { statuses.append(try await send(request)) }
        return statuses
    }

    private func send(_ request: CanaryRequest) async throws -> Int {
        let body = request.body.map { Array($0.utf8) }
        // A field that may not be sent at all is refused by the client, too.
        guard !request.headers.contains(where: { $0.1.contains("\u{1}") }) else {
            let fields = request.headers.map { "\($0.0): \($0.1)" } + (body.map { ["Content-Length: \($0.count)"] } ?? [])
            return (try? await exchange("\(request.method.rawValue) \(request.path)", fields, body: body ?? []))?.status ?? 0
        }
        return try await raw(request.method, request.path, token: request.token, headers: request.headers, body: body).status
    }
}
