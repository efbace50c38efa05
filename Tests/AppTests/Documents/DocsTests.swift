import Foundation
import MartletContract
import MartletSettings
import MartletTestKit
import Testing

@Suite("The documentation page", .everyDatabase)
struct DocumentationPage {
    @Test func withoutItsFilesTellsHowToGetThem() async throws {
        try await withApp { app in
            let answer = try await app.exchange("GET /docs")
            let text = String(decoding: answer.body, as: UTF8.self)
            #expect(answer.status == 404)
            #expect(answer["Content-Type"] == "text/plain; charset=utf-8")
            #expect(text.contains("make setup") && text.contains("/openapi.json"))
            #expect(text.split(separator: "\n").count == 1)
            #expect(try await app.exchange("GET /docs/swagger-ui.css").status == 404)
        }
    }

    @Test func withItsFilesRunsOnlyScriptsOfItsOwn() async throws {
        try await withApp { app in
            try install(in: app)
            let page = try await app.exchange("GET /docs")
            let policy = try #require(page["Content-Security-Policy"])
            #expect(page.status == 200)
            #expect(page["Content-Type"] == "text/html; charset=utf-8")
            #expect(
                policy.contains("default-src 'none'") && policy.contains("script-src 'self'") && policy.contains("frame-ancestors 'none'"))
            #expect(!policy.contains("unsafe") && !policy.contains("*") && !policy.contains("http"))
            let html = String(decoding: page.body, as: UTF8.self)
            #expect(!html.contains("<script>") && !html.contains("style=") && !html.contains("onload") && !html.contains("//"))
        }
    }

    @Test func hasEveryFileItAsksFor() async throws {
        try await withApp { app in
            try install(in: app)
            let html = String(decoding: try await app.exchange("GET /docs").body, as: UTF8.self)
            let wanted = html.matches(of: /(?:src|href)="([^"]+)"/).map { String($0.1) }
            #expect(wanted.count == 4)
            for path in wanted {
                let answer = try await app.exchange("GET \(path)")
                #expect(answer.status == 200 && !answer.body.isEmpty, "\(path)")
                #expect(answer["X-Content-Type-Options"] == "nosniff", "\(path)")
            }
            #expect(try await app.exchange("GET /docs/swagger-ui.css")["Content-Type"] == "text/css; charset=utf-8")
            #expect(try await app.exchange("GET /docs/swagger-ui-bundle.js")["Content-Type"] == "application/javascript; charset=utf-8")
        }
    }

    @Test(arguments: [
        "/docs/.env", "/docs/.git/config", "/docs/../martlet.db", "/docs/..%2fmartlet.db", "/docs/%2e%2e/martlet.db",
        "/docs/..%2f..%2fetc/passwd",
        "/docs/%2e%2e%2fmartlet.db", "/docs/secret.txt", "/docs/LICENSE", "/docs/", "/docs//swagger-ui.css", "/docs/swagger-ui.css/",
        "/docs/swagger-ui.css%00.png", "/docs/SWAGGER-UI.CSS", "/docs/link", "/martlet.db", "/../martlet.db",
    ])
    func servesNothingElse(path: String) async throws {
        try await withApp { app in
            try install(in: app)
            let answer = try await app.exchange("GET \(path)")
            #expect(answer.status == 404)
            #expect(try answer.problem().status == 404)
        }
    }

    @Test func canBeTurnedOff() async throws {
        try await withApp(change: { $0.apiDocumentation = false }) { app in
            for path in ["/docs", "/openapi.json", "/docs/init.js"] {
                let answer = try await app.exchange("GET \(path)")
                #expect(answer.status == 404, "\(path)")
            }
        }
    }

    @Test func isWhereTheRootLeads() async throws {
        try await withApp { app in
            let answer = try await app.exchange("GET /")
            #expect(answer.status == 302)
            #expect(answer["Location"] == "/docs")
        }
    }

    /// Files of our own in the place of Swagger UI's, and beside them some that nobody should see.
    private func install(in app: TestApp) throws {
        let assets = URL(fileURLWithPath: app.folder).appending(path: "assets")
        try FileManager.default.createDirectory(at: assets, withIntermediateDirectories: true)
        for name in ["swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png", ".env", "secret.txt", "LICENSE"] {
            try Data("contents of \(name)".utf8).write(to: assets.appending(path: name))
        }
        try FileManager.default.createSymbolicLink(atPath: assets.path + "/link", withDestinationPath: "/etc/passwd")
    }
}
