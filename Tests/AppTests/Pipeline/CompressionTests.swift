import MartletSettings
import MartletTestKit
import MartletTestSupport
import Testing

@Suite("Compression", .everyDatabase)
struct CompressedAnswers {
    @Test(arguments: ["gzip", "GZIP", "deflate, gzip;q=0.5", "*", "br, *;q=0.1", "x-gzip"])
    func isUsedWhereItIsAccepted(accepted: String) async throws {
        try await withApp { app in
            let answer = try await app.exchange("GET /openapi.json", ["Accept-Encoding: \(accepted)"])
            #expect(answer["Content-Encoding"] == "gzip")
            #expect(answer["Content-Length"] == String(answer.body.count))
            #expect(answer["Vary"]?.contains("Accept-Encoding") == true)
        }
    }

    @Test(arguments: [nil, "identity", "br", "gzip;q=0", "gzip; q=0.0", "*;q=0", "gzip;q=0, *", "deflate"])
    func isNotUsedWhereItIsNot(accepted: String?) async throws {
        try await withApp { app in
            let answer = try await app.exchange("GET /openapi.json", accepted.map { ["Accept-Encoding: \($0)"] } ?? [])
            #expect(answer["Content-Encoding"] == nil)
            #expect(answer.body.first == UInt8(ascii: "{"))
            // What a cache keeps for one caller must not be given to another.
            #expect(answer["Vary"]?.contains("Accept-Encoding") == true)
        }
    }

    @Test func isNotUsedBelowOneKibibyte() async throws {
        try await withApp { app in
            let answer = try await app.exchange("GET /health/live", ["Accept-Encoding: gzip"])
            #expect(answer["Content-Encoding"] == nil)
            #expect(answer.body.count < 1024)
        }
    }

    @Test func startsAtTheConfiguredSize() async throws {
        let length = try await documentLength()
        for (minimum, isCompressed) in [(length, true), (length + 1, false)] {
            try await withApp(change: { $0.compressionMinimumSize = minimum }) { app in
                let answer = try await app.exchange("GET /openapi.json", ["Accept-Encoding: gzip"])
                #expect((answer["Content-Encoding"] == "gzip") == isCompressed)
            }
        }
    }

    @Test(.enabled(if: Program.areInstalled("curl")))
    func losesNothing() async throws {
        try await withApp { app in
            let plain = try await app.exchange("GET /openapi.json")
            let unpacked = try await Program.run([
                "curl", "-s", "--compressed", "-H", "Accept-Encoding: gzip", "\(app.baseURL)/openapi.json",
            ])
            #expect(Array(unpacked.output.utf8) == plain.body)
        }
    }

    @Test func canBeTurnedOff() async throws {
        try await withApp(change: { $0.compression = false }) { app in
            let answer = try await app.exchange("GET /openapi.json", ["Accept-Encoding: gzip"])
            #expect(answer["Content-Encoding"] == nil)
        }
    }

    private func documentLength() async throws -> Int {
        var length = 0
        try await withApp { app in length = try await app.exchange("GET /openapi.json").body.count }
        return length
    }
}
