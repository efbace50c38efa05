import MartletSettings
import MartletTestKit
import Testing

@Suite("Pages of other origins", .everyDatabase)
struct CrossOriginRequests {
    private static let friend = "https://app.example.org"
    private let friendly: @Sendable (inout Settings) -> Void = { settings in
        settings.corsOrigins = .only([WebOrigin(CrossOriginRequests.friend), WebOrigin("http://localhost:3000")].compactMap { $0 })
    }

    @Test func mayCallWhenTheirOriginIsConfigured() async throws {
        try await withApp(change: friendly) { app in
            for path in ["/health/live", "/nothing", "/api/v1/auth/me"] {
                let answer = try await app.exchange("GET \(path)", ["Origin: \(Self.friend)"])
                #expect(answer["Access-Control-Allow-Origin"] == Self.friend)
                #expect(answer["Access-Control-Expose-Headers"]?.contains("X-Request-ID") == true)
                #expect(answer["Access-Control-Allow-Credentials"] == nil)
                #expect(answer["Vary"]?.contains("Origin") == true)
            }
        }
    }

    @Test(arguments: [
        "https://app.example.org.evil.test", "https://evil.test", "http://app.example.org", "https://app.example.org:8443", "null",
        "https://APP.example.org/",
        "https://sub.app.example.org",
    ])
    func mayNotCallFromAnywhereElse(origin: String) async throws {
        try await withApp(change: friendly) { app in
            for line in ["GET /health/live", "OPTIONS /health/live"] {
                let answer = try await app.exchange(line, ["Origin: \(origin)", "Access-Control-Request-Method: GET"])
                #expect(!answer.fields.contains { $0.name.hasPrefix("access-control-") })
                #expect(answer["Vary"]?.contains("Origin") == true)
            }
        }
    }

    @Test func mayRememberTheirPreflight() async throws {
        try await withApp(change: friendly) { app in
            let fields = [
                "Origin: \(Self.friend)", "Access-Control-Request-Method: PATCH",
                "Access-Control-Request-Headers: authorization,content-type",
            ]
            let answer = try await app.exchange("OPTIONS /api/v1/bookmarks/019bc05e-9a40-7c3d-8e11-5f0a4b7d2291", fields)
            #expect(answer.status == 204)
            #expect(answer["Access-Control-Allow-Origin"] == Self.friend)
            #expect(answer["Access-Control-Allow-Methods"]?.contains("PATCH") == true)
            #expect(answer["Access-Control-Allow-Headers"]?.contains("Authorization") == true)
            #expect(answer["Access-Control-Allow-Headers"]?.contains("Content-Type") == true)
            #expect(answer["Access-Control-Max-Age"] == "600")
        }
    }

    @Test func maySendCookiesOnlyWhenConfigured() async throws {
        let withCookies: @Sendable (inout Settings) -> Void = { settings in
            friendly(&settings)
            settings.corsCredentials = true
        }
        try await withApp(change: withCookies) { app in
            let answer = try await app.exchange("GET /health/live", ["Origin: \(Self.friend)"])
            #expect(answer["Access-Control-Allow-Origin"] == Self.friend)
            #expect(answer["Access-Control-Allow-Credentials"] == "true")
        }
    }

    @Test func neverSendCookiesWhenEveryOriginMayCall() async throws {
        let everyone: @Sendable (inout Settings) -> Void = { settings in
            settings.corsOrigins = .all
            settings.corsCredentials = true
        }
        try await withApp(change: everyone) { app in
            let answer = try await app.exchange("GET /health/live", ["Origin: https://any.example.org"])
            #expect(answer["Access-Control-Allow-Origin"] == "*")
            #expect(answer["Access-Control-Allow-Credentials"] == nil)
        }
    }

    @Test func mayNotCallUnlessConfigured() async throws {
        try await withApp { app in
            let answer = try await app.exchange("GET /health/live", ["Origin: \(Self.friend)"])
            #expect(!answer.fields.contains { $0.name.hasPrefix("access-control-") })
        }
    }
}
