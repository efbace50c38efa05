import Foundation
import MartletTestSupport
import MartletWire
import Testing

/// TLS and HTTP/2, spoken with curl and a certificate made by openssl for the occasion.
@Suite(.enabled(if: Program.areInstalled("curl", "openssl"))) struct SpeakingSecurely {
    @Test func HTTP11IsSpokenOverTLS() async throws {
        try await run(http2: false) { server, curl in
            #expect(await curl(["--http1.1", server.url("/target")]) == "1.1 200 127.0.0.1:\(server.port) /target")
            #expect(await curl(["--http2", server.url("/")]) == "1.1 200 ok")
        }
    }

    @Test func HTTP2IsNegotiatedOnlyWhenSet() async throws {
        try await run(http2: true) { server, curl in
            #expect(await curl(["--http2", server.url("/target?a")]) == "2 200 127.0.0.1:\(server.port) /target?a")
            #expect(await curl(["--http1.1", server.url("/")]) == "1.1 200 ok")
        }
    }

    @Test func anHTTP2BodyIsReadAndAResponseMayAskToClose() async throws {
        try await run(http2: true) { server, curl in
            #expect(await curl(["--http2", "--data", "hello", server.url("/length")]) == "2 200 5")
            #expect(await curl(["--http2", server.url("/close")]) == "2 200 bye")
            #expect(await curl(["--http2", "-H", "Expect: 100-continue", "--data", "hello", server.url("/length")]) == "2 200 5")
        }
    }

    @Test(arguments: [
        (["-H", "Host: u@a"], "2 400 {\"code\":\"malformed_host\"}"), (["-H", "Expect: tea"], "2 417 {\"code\":\"unknown_expectation\"}"),
        (["--data", "hello"], "2 413 {\"code\":\"body_too_large\"}"),
    ])
    func theRulesForRequestsHoldOnStreamsToo(options: [String], answer: String) async throws {
        try await run(http2: true, limits: { $0.maxDeclaredBody = 3 }) { server, curl in
            let received = await curl(["--http2"] + options + [server.url("/")])
            #expect(received == answer)
            #expect(server.requests.paths.isEmpty)
        }
    }

    @Test func aHandshakeThatNeverComesIsCutOff() async throws {
        for http2 in [false, true] {
            try await run(http2: http2, limits: { $0.headerTimeout = .milliseconds(100) }) { server, _ in
                let text = try await server.connect().readToEnd()
                #expect(text == "")
            }
        }
    }

    @Test func plainBytesOnASecurePortEndTheConnection() async throws {
        try await run(http2: true) { server, _ in
            let client = try await server.connect()
            try await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await client.readToEnd() != "still open")
        }
    }

    @Test func oldVersionsOfTLSAreRefused() async throws {
        try await run(http2: false) { server, curl in
            #expect(await curl(["--tls-max", "1.1", server.url("/")]) == "0 000 ")
        }
    }

    private typealias Curl = @Sendable ([String]) async -> String

    private func run(
        http2: Bool, limits: (inout WireLimits) -> Void = { _ in },
        _ body: @escaping @Sendable (TestServer, @escaping Curl) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "wire-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (certificate, key) = (folder.appending(path: "certificate.pem").path, folder.appending(path: "key.pem").path)
        try await Program.runSuccessfully([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=localhost", "-keyout", key, "-out", certificate,
        ])
        try await TestServer.run(tls: WireTLS(certificateChainFile: certificate, privateKeyFile: key, http2: http2), limits: limits) {
            server in
            try await body(server) { options in
                let common = ["-sk", "--max-time", "10", "-o", "-", "-w", "\n%{http_version} %{response_code}"]
                do { return try await Program.run(["curl"] + common + options).output.reordered } catch { return "\(error)" }
            }
        }
    }
}

extension TestServer {
    fileprivate func url(_ path: String) -> String { "https://127.0.0.1:\(port)\(path)" }
}

extension String {
    /// curl writes the body first; here the version and the status come first.
    fileprivate var reordered: String {
        guard let lineEnd = lastIndex(of: "\n") else { return self }
        return "\(self[index(after: lineEnd)...]) \(self[..<lineEnd])"
    }
}
