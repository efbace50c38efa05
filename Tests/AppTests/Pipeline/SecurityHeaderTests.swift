import Foundation
import MartletContract
import MartletSettings
import MartletTestKit
import MartletTestSupport
import Testing

@Suite("Security headers", .everyDatabase)
struct SecurityHeaderFields {
    @Test(arguments: [
        ("GET /health/live", 200), ("GET /nothing", 404), ("DELETE /health/live", 405), ("GET /api/v1/auth/me", 401),
        ("GET /test/fail", 500),
        ("GET /health/live?x=1", 422), ("OPTIONS /health/live", 204), ("GET /openapi.json", 200), ("GET /", 302),
    ])
    func areOnEveryAnswer(line: String, status: Int) async throws {
        try await withApp(change: { $0.testRoutes = true }) { app in
            let answer = try await app.exchange(line)
            #expect(answer.status == status)
            expectHeaders(answer)
        }
    }

    @Test func areOnARefusedBody() async throws {
        try await withApp { app in
            let fields = ["Content-Type: application/json", "Content-Length: 2000000"]
            let answer = try await app.exchange("POST /api/v1/auth/login", fields)
            #expect(answer.status == 413)
            expectHeaders(answer)
        }
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "nonsense\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ])
    func areOnWhatTheWireRefuses(bytes: String) async throws {
        try await withApp { app in
            let answer = try await app.exchange(bytes: Array(bytes.utf8))
            #expect((400..<500).contains(answer.status))
            #expect(answer["Content-Type"] == "application/problem+json")
            #expect(try answer.problem().status == answer.status)
            expectHeaders(answer)
        }
    }

    @Test func strictTransportSecurityIsNotSentInTheClear() async throws {
        try await withApp { app in
            let plain = try await app.exchange("GET /health/live", ["X-Forwarded-Proto: https"])
            #expect(plain["Strict-Transport-Security"] == nil)
        }
    }

    @Test func strictTransportSecurityIsSentBehindATrustedProxyThatSpeaksTLS() async throws {
        try await withApp(change: { $0.trustForwardedProto = true }) { app in
            let secure = try await app.exchange("GET /health/live", ["X-Forwarded-Proto: https"])
            #expect(secure["Strict-Transport-Security"]?.hasPrefix("max-age=") == true)
            #expect(try await app.exchange("GET /health/live", ["X-Forwarded-Proto: http"])["Strict-Transport-Security"] == nil)
            #expect(try await app.exchange("GET /health/live")["Strict-Transport-Security"] == nil)
        }
    }

    @Test(.enabled(if: Program.areInstalled("openssl", "curl")))
    func strictTransportSecurityIsSentOverTLS() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let (key, certificate) = ("\(folder.path)/key.pem", "\(folder.path)/certificate.pem")
        let made = try await Program.run([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
            "-subj", "/CN=localhost", "-keyout", key, "-out", certificate,
        ])
        try #require(made.status == 0, "\(made.errors)")
        let change: (inout Settings) -> Void = { ($0.tlsCertificateFile, $0.tlsPrivateKeyFile) = (certificate, key) }
        try await withApp(change: change) { app in
            for path in ["/health/live", "/nothing"] {
                let answer = try await Program.run(["curl", "-sk", "-D", "-", "-o", "/dev/null", "https://127.0.0.1:\(app.port)\(path)"])
                #expect(answer.output.lowercased().contains("\r\nstrict-transport-security: max-age="), "\(path): \(answer.output)")
            }
        }
    }

    private func expectHeaders(_ answer: SocketAnswer, at location: SourceLocation = #_sourceLocation) {
        #expect(answer["X-Content-Type-Options"] == "nosniff", sourceLocation: location)
        #expect(answer["X-Frame-Options"] == "DENY", sourceLocation: location)
        #expect(answer["Referrer-Policy"] == "no-referrer", sourceLocation: location)
        #expect(answer["Content-Security-Policy"]?.contains("default-src 'none'") == true, sourceLocation: location)
        #expect(answer["Content-Security-Policy"]?.contains("frame-ancestors 'none'") == true, sourceLocation: location)
        #expect(answer["Permissions-Policy"] != nil, sourceLocation: location)
        #expect(answer["Date"] != nil, sourceLocation: location)
        #expect(answer["Server"] == nil, sourceLocation: location)
    }
}
