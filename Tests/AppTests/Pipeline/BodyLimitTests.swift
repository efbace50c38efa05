import MartletContract
import MartletSettings
import MartletTestKit
import NIOHTTP1
import Testing

@Suite("A request's body", .everyDatabase)
struct BodyLimits {
    private static let mebibyte = 1 << 20

    @Test func isRefusedByItsDeclaredLengthBeforeItIsSent() async throws {
        try await withApp { app in
            let fields = ["Content-Type: application/json", "Content-Length: \(Self.mebibyte + 1)"]
            let answer = try await app.exchange("POST /api/v1/auth/login", fields)
            #expect(answer.status == 413)
            #expect(try answer.problem().code == "body_too_large")
            #expect(try answer.problem().detail.contains("\(Self.mebibyte)"))
        }
    }

    @Test func isRefusedWhileItIsReadWhenItsLengthIsNotDeclared() async throws {
        try await withApp { app in
            let answer = try await app.exchange("POST /api/v1/auth/login", Self.chunked, body: Self.chunks(of: Self.mebibyte + 1))
            #expect(answer.status == 413)
            #expect(try answer.problem().code == "body_too_large")
        }
    }

    @Test func mayHaveExactlyTheLimit() async throws {
        try await withApp { app in
            let whole = try await app.exchange(
                "POST /api/v1/auth/login", ["Content-Type: application/json", "Content-Length: \(Self.mebibyte)"],
                body: Array(repeating: UInt8(ascii: " "), count: Self.mebibyte))
            #expect(whole.status == 400)
            let chunked = try await app.exchange("POST /api/v1/auth/login", Self.chunked, body: Self.chunks(of: Self.mebibyte))
            #expect(chunked.status == 400)
        }
    }

    @Test func ofTwoMebibytesIsRefusedHoweverItIsSent() async throws {
        try await withApp { app in
            let size = 2 * Self.mebibyte
            let fields = ["Content-Type: application/json", "Content-Length: \(size)"]
            let declared = try await app.exchange("POST /api/v1/auth/login", fields, body: Array(repeating: 32, count: size))
            #expect(declared.status == 413)
            let chunked = try await app.exchange("POST /api/v1/auth/login", Self.chunked, body: Self.chunks(of: size))
            #expect(chunked.status == 413)
            #expect(try await app.exchange("GET /health/live").status == 200)
        }
    }

    @Test func hasTheLimitOfTheSettings() async throws {
        try await withApp(change: { $0.maximumBodySize = 100 }) { app in
            let json = "{\"login\":\"\(String(repeating: "a", count: 100))\",\"password\":\"b\"}"
            let refused = try await app.raw(.POST, "/api/v1/auth/login", json: json)
            #expect(refused.status == 413)
            let accepted = try await app.raw(.POST, "/api/v1/auth/login", json: "{\"login\":\"a\",\"password\":\"b\"}")
            #expect(accepted.status == 401)
        }
    }

    @Test func mayBeTenMebibytesForAnImport() async throws {
        try await withApp { app in
            let fields = ["Content-Type: application/json", "Authorization: Bearer \(try await app.token())"]
            let large = Array("[]".utf8) + Array(repeating: UInt8(ascii: " "), count: 2 * Self.mebibyte)
            let accepted = try await app.exchange("POST /api/v1/bookmarks/import", fields + ["Content-Length: \(large.count)"], body: large)
            #expect(accepted.status == 200)
            let refused = try await app.exchange("POST /api/v1/bookmarks/import", fields + ["Content-Length: \(10 * Self.mebibyte + 1)"])
            #expect(refused.status == 413)
        }
    }

    @Test func isNotAskedForWhenTheRequestIsRefusedAnyway() async throws {
        try await withApp { app in
            for (line, status) in [("POST /api/v1/bookmarks", 401), ("POST /nothing", 404), ("PUT /api/v1/bookmarks", 405)] {
                let fields = ["Content-Type: application/json", "Content-Length: 1000", "Expect: 100-continue"]
                let answer = try await app.exchange(line, fields)
                #expect(answer.status == status, "\(line)")
            }
        }
    }

    private static let chunked = ["Content-Type: application/json", "Transfer-Encoding: chunked"]

    private static func chunks(of size: Int) -> [UInt8] {
        var rest = size
        var bytes: [UInt8] = []
        while rest > 0 {
            let count = min(rest, 1 << 16)
            bytes += Array("\(String(count, radix: 16))\r\n".utf8) + Array(repeating: UInt8(ascii: " "), count: count) + Array("\r\n".utf8)
            rest -= count
        }
        return bytes + Array("0\r\n\r\n".utf8)
    }
}
