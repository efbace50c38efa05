import Foundation
import Testing

@Suite("The documentation of errors")
struct DocumentationOfErrors {
    /// Codes are written as literals beside what they name, so the sources can be asked for all of them.
    @Test func namesEveryCodeThatTheSourcesThrow() throws {
        let documented = Set(try Checkout.text("docs/errors.md").matches(of: /`([a-z_]+)`/).map { String($0.1) })
        let thrown = try Self.sources().flatMap { Self.codes(in: $0) }
        #expect(thrown.count > 80, "the search has gone blind")
        for code in Set(thrown).subtracting(documented).sorted() { Issue.record("docs/errors.md does not name `\(code)`.") }
    }

    private static func codes(in source: String) -> [String] {
        let failures = source.matches(of: /(?:(?:Failure|Refusal|\.init)\(\s*\.[A-Za-z]+,|Refusal\(|refusal\()\s*"([a-z_]+)"/).map(\.1)
        let named = source.matches(of: /\.(?:malformed|unauthenticated|forbidden|notFound|conflict|unavailable)\(\s*"([a-z_]+)"/).map(\.1)
        let faults = source.matches(of: /Fault\((?:pointer: [^,]+, )?code: (?:[^"\n]*\? )?"([a-z_]+)"(?: : "([a-z_]+)")?/)
        return (failures + named + faults.map(\.1) + faults.compactMap(\.2)).map(String.init)
    }

    /// Settings and the files of bookmarks have faults of their own, which are told in words.
    private static func sources() throws -> [String] {
        let folder = Checkout.root.appending(path: "Sources")
        let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)?.compactMap { $0 as? URL } ?? []
        return try files.filter { $0.pathExtension == "swift" && !$0.path.contains("/Settings/") }
            .map { try String(contentsOf: $0, encoding: .utf8) }
    }
}
