import Foundation
import Testing

@Suite("What the documents point to")
struct WhatTheDocumentsPointTo {
    @Test(arguments: try Self.documents())
    func isThere(document: String) throws {
        let text = try Checkout.text(document)
        let folder = Checkout.root.appending(path: document).deletingLastPathComponent()
        let links = text.matches(of: /\]\(([^)#:]+)(?:#[^)]*)?\)/).map { folder.appending(path: String($0.1)) }
        let paths = text.matches(of: /`((?:Sources|Tests|scripts|Examples)\/[A-Za-z\/.-]+)`/).map { named($0.1) }
        for file in links + paths {
            #expect(FileManager.default.fileExists(atPath: file.path), "\(document) points to \(file.path)")
        }
    }

    private func named(_ path: Substring) -> URL { Checkout.root.appending(path: String(path)) }

    /// Written by hand: what lies at the root, and the folder `docs`.
    private static func documents() throws -> [String] {
        let folders = ["", "docs/", "docs/decisions/"]
        return try folders.flatMap { folder in
            try FileManager.default.contentsOfDirectory(atPath: Checkout.root.appending(path: folder).path)
                .filter { $0.hasSuffix(".md") }.sorted().map { folder + $0 }
        }
    }
}
