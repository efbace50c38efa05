import MartletContract
import MartletSettings
import MartletTestKit
import MartletTestSupport
import MartletWire
import Testing

@testable import MartletApp
@testable import MartletHTTP

/// With curl, and a certificate made by openssl for the occasion.
@Suite("A stream of events over TLS", .only(.sqlite), .enabled(if: Program.areInstalled("bash", "curl", "openssl", "head")))
struct SecureEvents {
    static let versions = [("--http1.1", "1.1"), ("--http2", "2")]

    @Test(arguments: versions)
    func isSentAndEndsProperly(option: String, version: String) async throws {
        try await withSecureApp { app, token in
            let format = "%{http_version} %{response_code} %{content_type}"
            let outcome = try await app.curl(option, "test/events?up_to=2", token, "-w '\(format)'")
            #expect(outcome.output == "id: 1\ndata: {\"number\":1}\n\nid: 2\ndata: {\"number\":2}\n\n\(version) 200 text/event-stream")
            #expect(outcome.status == 0)
        }
    }

    @Test(arguments: versions)
    func endsWhenTheInstanceDrains(option: String, version: String) async throws {
        try await withSecureApp { app, token in
            async let outcome = app.curl(option, "test/events?up_to=1&stays=true", token)
            try await eventually { app.app.streams.count == 1 && app.app.streams.areIdle }
            app.app.draining.begin()
            #expect(try await outcome.status == 0)
            #expect(try await outcome.output == "id: 1\ndata: {\"number\":1}\n\n")
        }
    }

    @Test(arguments: versions)
    func endsWhenTheListenerGoesAway(option: String, version: String) async throws {
        try await withSecureApp { app, token in
            async let outcome = app.curl(option, "test/events?up_to=1&stays=true", token, "| head -n 1")
            // What reads curl's output has gone; curl goes when there is more to write.
            try await eventually { app.app.streams.count == 1 && app.app.streams.areIdle }
            try await eventually {
                app.app.streams.beat()
                return app.app.streams.count == 0
            }
            #expect(try await outcome.output == "id: 1\n")
        }
    }

    private func withSecureApp(_ body: (TestApp, _ token: String) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let (certificate, key) = ("\(folder.path)/certificate.pem", "\(folder.path)/key.pem")
        try await Program.runSuccessfully([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=localhost", "-keyout", key, "-out", certificate,
        ])
        let secure: (inout Settings) -> Void = { settings in
            (settings.tlsCertificateFile, settings.tlsPrivateKeyFile, settings.http2) = (certificate, key, true)
            settings.testRoutes = true
        }
        try await withApp(change: secure) { app in
            let account = #"{"email": "ada@example.org", "username": "ada", "password": "correct horse battery"}"#
            let answer = try await app.curl(
                "--http1.1", "api/v1/auth/register", "none", "-H 'Content-Type: application/json' --data '\(account)'")
            try await body(app, try #require(try WireJSON.parse(answer.output.utf8)["access_token"]?.text))
        }
    }
}

extension TestApp {
    fileprivate func curl(_ option: String, _ path: String, _ token: String, _ more: String = "") async throws -> Program.Outcome {
        let fields = "-H 'Authorization: Bearer \(token)'"
        return try await Program.run(["bash", "-c", "curl -skN \(option) \(fields) 'https://127.0.0.1:\(port)/\(path)' \(more)"])
    }
}
