import Foundation
import HTTPTypes
import MartletApp
import MartletContract
import MartletTestSupport
import Testing

@Suite("The command line")
struct CommandLineListings {
    @Test func listsExactlyTheDeclaredOperations() async throws {
        let outcome = try await martlet("routes")
        let listed = outcome.output.split(separator: "\n").map { line in
            line.split(separator: " ", omittingEmptySubsequences: true).prefix(2).joined(separator: " ")
        }
        #expect(outcome.status == 0)
        #expect(Set(listed) == Set(App.operations.map(\.line)))
        #expect(listed.count == App.operations.count)
    }

    @Test func tellsWhoMayCallEach() async throws {
        let lines = try await martlet("routes").output.split(separator: "\n")
        for (line, named) in zip(lines, App.operations) {
            if case .permission(let permission) = named.operation.access { #expect(line.contains(permission.raw)) }
            #expect(line.hasSuffix(named.operation.summary))
        }
    }

    @Test func printsTheOpenAPIDocument() async throws {
        #expect(try await martlet("openapi").output == App.openAPI)
    }

    /// The executable that was built beside the tests.
    private func martlet(_ command: String) async throws -> Program.Outcome {
        let tests = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        let candidates = [tests, Checkout.root.appending(path: ".build/debug")].map { $0.appending(path: "martlet").path }
        let executable = try #require(candidates.first { FileManager.default.isExecutableFile(atPath: $0) }, "`swift build` makes it.")
        return try await Program.run([executable, command], in: NSTemporaryDirectory())
    }
}
