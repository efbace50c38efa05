import Foundation
import Testing

@Suite("The document of security") struct DocumentOfSecurity {
    /// Whoever renames a test that the document names has to say so there.
    @Test func namesTestsThatExist() throws {
        let document = try Checkout.text("docs/security.md")
        let names = Set(document.matches(of: /`([A-Z][A-Za-z]+)\.([a-z][A-Za-z0-9]+)`/).map { [$0.1, $0.2].map(String.init) })
        #expect(names.count > 80, "the search has gone blind")
        let tests = try Self.tests()
        for name in names where !tests.contains(name) { Issue.record("There is no test \(name.joined(separator: ".")).") }
    }

    /// Each function of each type at the beginning of a line.
    private static func tests() throws -> Set<[String]> {
        let files = FileManager.default.enumerator(at: Checkout.root.appending(path: "Tests"), includingPropertiesForKeys: nil)
        var found: Set<[String]> = []
        for file in files?.compactMap({ $0 as? URL }) ?? [] where file.pathExtension == "swift" {
            var type = ""
            for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
                if !line.hasPrefix(" "), let match = line.firstMatch(of: /\b(?:struct|final class) ([A-Za-z]+)/) { type = String(match.1) }
                if let match = line.firstMatch(of: /\bfunc ([A-Za-z0-9]+)/) { found.insert([type, String(match.1)]) }
            }
        }
        return found
    }
}
