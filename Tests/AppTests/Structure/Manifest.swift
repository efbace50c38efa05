import Foundation
import MartletContract
import MartletTestKit
import MartletTestSupport

/// The package as SwiftPM understands its manifest.
struct Manifest: Sendable {
    let targets: [Target]

    struct Target: Sendable {
        let name: String
        let path: String
        let dependencies: [String]

        var isServiceAPI: Bool { path.hasPrefix("Sources/Services/") && name.hasSuffix("API") }
        var isServiceImplementation: Bool { path.hasPrefix("Sources/Services/") && !name.hasSuffix("API") }

        func local(in package: Manifest) -> [String] { dependencies.filter { package.target($0) != nil } }
    }

    func target(_ name: String) -> Target? { targets.first { $0.name == name } }

    /// Every target that one depends on, through others too.
    func reachable(from target: Target) -> Set<String> {
        target.local(in: self).reduce(into: []) { found, name in
            found.insert(name)
            if let next = self.target(name) { found.formUnion(reachable(from: next)) }
        }
    }

    /// In a scratch folder of its own, since the one of the build is locked by whoever builds.
    static func load() async throws -> Manifest {
        try await shared.value
    }

    private static let shared = Task {
        let scratch = try TemporaryFolder()
        defer { scratch.remove() }
        let outcome = try await Program.run([
            "swift", "package", "--package-path", Checkout.root.path, "--scratch-path", scratch.path, "dump-package",
        ])
        guard outcome.status == 0 else { throw Unreadable(errors: outcome.errors) }
        return try Manifest(dump: WireJSON.parse(outcome.output.utf8))
    }

    private init(dump: JSON) throws {
        targets = (dump["targets"]?.elements ?? []).map { target in
            let name = target["name"]?.text ?? ""
            let dependencies = (target["dependencies"]?.elements ?? []).compactMap { dependency in
                (dependency["byName"] ?? dependency["target"] ?? dependency["product"])?.elements.first?.text
            }
            return Target(name: name, path: target["path"]?.text ?? "Tests/\(name)", dependencies: dependencies)
        }
        guard !targets.isEmpty else { throw Unreadable(errors: "no targets") }
    }

    struct Unreadable: Error {
        let errors: String
    }
}

/// A Swift file under test for what it imports.
struct SourceFile {
    /// From the root of the package.
    let path: String
    let imports: Set<String>

    static func all(in folder: String) throws -> [SourceFile] {
        let names = try FileManager.default.subpathsOfDirectory(atPath: Checkout.root.appending(path: folder).path)
        return try names.filter { $0.hasSuffix(".swift") }.sorted().map { try SourceFile("\(folder)/\($0)") }
    }

    private init(_ path: String) throws {
        let statement =
            /^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+)/
        self.path = path
        imports = Set(
            try Checkout.text(path).split(separator: "\n").compactMap { line in line.prefixMatch(of: statement).map { String($0.1) } })
    }
}
