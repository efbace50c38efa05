import Foundation
import HTTPTypes
import MartletContract
import MartletCore

/// `/openapi.json`, and `/docs`: Swagger UI from files that the set-up installs, under a policy that runs no other script.
public struct DocsPage: Sendable {
    private let document: [UInt8]
    private let assets: String

    /// - Parameters:
    ///   - document: The OpenAPI document.
    ///   - assets: The folder with Swagger UI's `swagger-ui.css`, `swagger-ui-bundle.js` and `favicon-32x32.png`.
    public init(document: String, assets: String) {
        self.document = Array(document.utf8)
        self.assets = assets
    }

    public var routes: [Route] {
        [
            Route(page: "/") { _ in Answer(.found, fields: [.location: "/docs"]) },
            Route(page: "/openapi.json") { _ in Answer(.ok, document, type: "application/json") },
            Route(page: "/docs") { _ in page },
            Route(page: "/docs/init.js") { _ in Answer(.ok, Array(Self.script.utf8), type: "application/javascript; charset=utf-8") },
        ]
            + Self.files.map { name, type in Route(page: "/docs/\(name)") { _ in try asset(name, type) } }
    }

    /// The only files served: no name comes from the request.
    private static let files = [
        ("swagger-ui.css", "text/css; charset=utf-8"),
        ("swagger-ui-bundle.js", "application/javascript; charset=utf-8"),
        ("favicon-32x32.png", "image/png"),
    ]

    private var page: Answer {
        guard Self.files.allSatisfy({ FileManager.default.isReadableFile(atPath: "\(assets)/\($0.0)") }) else {
            let sentence =
                "The API's documentation page needs Swagger UI, which `make setup` installs; the description itself is at /openapi.json.\n"
            return Answer(.notFound, Array(sentence.utf8), type: "text/plain; charset=utf-8")
        }
        return Answer(.ok, Array(Self.html.utf8), type: "text/html; charset=utf-8", fields: [.contentSecurityPolicy: Self.policy])
    }

    private func asset(_ name: String, _ type: String) throws -> Answer {
        guard let data = FileManager.default.contents(atPath: "\(assets)/\(name)") else {
            throw Failure.notFound("asset_missing", "This file is not installed; `make setup` installs it.")
        }
        return Answer(.ok, Array(data), type: type, fields: [.cacheControl: "public, max-age=86400"])
    }

    private static let policy = """
        default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
        base-uri 'none'; form-action 'none'; frame-ancestors 'none'
        """

    private static let html = """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Martlet API</title>
        <link rel="icon" href="/docs/favicon-32x32.png">
        <link rel="stylesheet" href="/docs/swagger-ui.css">
        </head>
        <body>
        <div id="docs"></div>
        <script src="/docs/swagger-ui-bundle.js"></script>
        <script src="/docs/init.js"></script>
        </body>
        </html>

        """

    private static let script = """
        window.addEventListener("load", () => {
          window.ui = SwaggerUIBundle({
            url: "/openapi.json",
            dom_id: "#docs",
            deepLinking: true,
            presets: [SwaggerUIBundle.presets.apis],
            validatorUrl: null,
          });
        });

        """
}
