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
    @Test func isEverTold() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let file = folder.path + "/all.log"
        let logs = try Logs(
            LogSettings(
                rules: LogLevelRules(standard: .trace), file: LogFilePlace(path: file, maximumBytes: 1 << 30), standardError: false))
        try await SpanReceiver.withApp(ratio: 1, logs: logs, change: Self.talkative) { (app, spans) async throws in
            let token = try await app.operatorToken()
            let secrets = [
                token, Registration.password, app.app.settings.jwtSecretKey.unsafeReveal(), app.app.settings.secretKey.unsafeReveal(),
            ]
            let sent = try await app.sendCanaries(token: token)
            #expect(sent.count >= 200)
            for status in [200, 201, 400, 401, 404, 405, 409, 413, 415, 422, 500] {
                #expect(sent.contains { $0.status == status }, "no answer was a \(status)")
            }
            expectNoneRepeated(by: sent, secrets)
            let metrics = String(decoding: try await app.exchange("GET /metrics").body, as: UTF8.self)
            expectNone(in: metrics.split(separator: "\n"), atLeast: 200, secrets)
            try await eventually("spans of failures arrive") { spans.spans.contains { $0.failure == "internal_error" } }
            expectNone(in: spans.spans.map { $0.text[...] }, atLeast: 200, secrets)
            #expect(await logs.flush(within: .seconds(60)))
            let text = String(decoding: try #require(FileManager.default.contents(atPath: file)), as: UTF8.self)
            #expect(text.ranges(of: #""logger":"martlet.access""#).count >= 200)
            #expect(text.contains("slow statement") && text.contains("Internal error") && text.contains(#""route":"/api/v1/bookmarks""#))
            #expect(text.contains(#""trace_id":""#))
            expectNone(in: text.split(separator: "\n"), atLeast: 400, secrets)
        }
    }

    private func expectNone(in lines: [Substring], atLeast count: Int, _ secrets: [String], at location: SourceLocation = #_sourceLocation)
    {
        #expect(lines.count >= count, sourceLocation: location)
        for line in lines {
            #expect(Canary.found(in: String(line)) == [], "\(line)", sourceLocation: location)
            #expect(!secrets.contains { line.contains($0) }, "\(line)", sourceLocation: location)
        }
    }

    /// A Problem may name the members and parameters that its caller sent, and nothing that they held.
    private func expectNoneRepeated(by answers: [Told], _ secrets: [String]) {
        for answer in answers where answer.status >= 400 {
            for word in Canary.confided + secrets { #expect(!answer.text.contains(word), "\(answer.status) \(answer.text.prefix(500))") }
        }
    }

    /// Every statement is slow, every body long, and routes that fail are there.
    private static func talkative(_ settings: inout Settings) {
        settings.testRoutes = true
        settings.slowStatement = .zero
        settings.maximumBodySize = 8 << 10
    }
}

/// What a caller was answered.
struct Told: Sendable {
    let status: Int
    let text: String
}

extension TestApp {
    /// Sends canaries everywhere; returns the answers. At the end the database is broken, and they are sent again.
    func sendCanaries(token: String) async throws -> [Told] {
        var told: [Told] = []
        for named in App.operations {
            for request in try CanaryRequest.all(to: named.operation, token: token) { told.append(try await send(request)) }
        }
        for request in CanaryRequest.known(token: token) { told.append(try await send(request)) }
        for line in ["GET /\(Canary.path) x", "\(Canary.path) / HTTP/1.1", "GET http://\(Canary.path)@x/", "GET /%\(Canary.path)"] {
            told += [await exchanged(line, ["Authorization: Bearer \(Canary.token)", "X: \(Canary.field)"])]
        }
        told.append(await exchanged("DELETE /health/live?\(Canary.query)"))
        try await app.database.change("ALTER TABLE bookmark RENAME TO bookmark_away")
        for request in CanaryRequest.known(token: token) { told.append(try await send(request)) }
        return told
    }

    private func send(_ request: CanaryRequest) async throws -> Told {
        let body = request.body.map { Array($0.utf8) }
        // A field that may not be sent at all is refused by the client, too.
        guard !request.headers.contains(where: { $0.1.contains("\u{1}") }) else {
            let fields = request.headers.map { "\($0.0): \($0.1)" } + (body.map { ["Content-Length: \($0.count)"] } ?? [])
            return await exchanged("\(request.method.rawValue) \(request.path)", fields, body: body ?? [])
        }
        let answer = try await raw(request.method, request.path, token: request.token, headers: request.headers, body: body)
        return Told(status: answer.status, text: answer.text)
    }

    /// What is no HTTP may be answered by closing.
    private func exchanged(_ line: String, _ fields: [String] = [], body: [UInt8] = []) async -> Told {
        guard let answer = try? await exchange(line, fields, body: body) else { return Told(status: 0, text: "") }
        return Told(status: answer.status, text: String(decoding: answer.body, as: UTF8.self))
    }
}
