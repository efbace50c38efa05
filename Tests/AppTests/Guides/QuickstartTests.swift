import Foundation
import MartletApp
import MartletBookmarksAPI
import MartletClient
import MartletContract
import MartletIdentityAPI
import MartletSettings
import MartletTestKit
import MartletTestSupport
import Testing

@Suite("The README", .everyDatabase)
struct Readme {
    @Test(.enabled(if: Program.areInstalled("bash", "curl", "awk", "sed"), "the quickstart is for a shell with curl"))
    func itsQuickstartWorksAsItStands() async throws {
        try await withApp { app in
            try installDocumentationPage(in: app)
            let outcome = try await Program.run(["scripts/quickstart.sh", app.baseURL], in: Checkout.root.path)
            #expect(outcome.status == 0, "\(outcome.output)\n\(outcome.errors)")
        }
    }

    @Test func itsCallsFromSwiftWork() async throws {
        try await withApp { app in
            _ = try await app.signUp("ada")
            let client = app.client
            // guide:client
            try await client.logIn(Login(login: LoginName("ada"), password: GivenPassword("correct horse battery")))
            let bookmark = try await client.send(BookmarksAPI.save, NewBookmark(url: WebLink("https://www.swift.org/install/")))
            // end
            #expect(bookmark.url.raw == "https://www.swift.org/install/")
        }
    }

    @Test func itShowsTheCallsAsTheyAreTested() throws {
        let shown = try Guide.blocks(of: Checkout.text("README.md"))
        let tested = try Guide.parts(of: Checkout.text("Tests/AppTests/Guides/QuickstartTests.swift"))
        #expect(shown == tested && !tested.isEmpty)
    }

    /// `make setup` has put the real files where the server looks; here their names are enough.
    private func installDocumentationPage(in app: TestApp) throws {
        let folder = app.app.settings.documentationAssets
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for name in ["swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"] {
            try Data("/* \(name) */".utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
        }
    }
}
