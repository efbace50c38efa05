import Foundation

/// Programs that a test starts and waits for.
enum Tool {
    struct Outcome: Sendable {
        let status: Int32
        let output: String
        let errors: String
    }

    static func arePresent(_ names: String...) -> Bool {
        names.allSatisfy { name in searchPath.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(name)") } }
    }

    private static var searchPath: [Substring] {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    }

    /// Runs a program, found as a shell finds it, to its end.
    static func run(_ arguments: [String], input: String = "", in folder: String? = nil) async throws -> Outcome {
        try await blocking { try runBlocking(arguments, input, folder) }
    }

    /// What a program writes goes to files: a pipe that nobody empties would hold it up.
    private static func runBlocking(_ arguments: [String], _ input: String, _ folder: String?) throws -> Outcome {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
        let files = try Files(input)
        defer { files.remove() }
        process.standardInput = try FileHandle(forReadingFrom: files.input)
        process.standardOutput = try FileHandle(forWritingTo: files.output)
        process.standardError = try FileHandle(forWritingTo: files.errors)
        try process.run()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus, output: try String(contentsOf: files.output, encoding: .utf8),
            errors: try String(contentsOf: files.errors, encoding: .utf8))
    }

    private struct Files {
        private let folder = FileManager.default.temporaryDirectory.appending(path: "martlet-tool-\(UUID())")
        var input: URL { folder.appending(path: "input") }
        var output: URL { folder.appending(path: "output") }
        var errors: URL { folder.appending(path: "errors") }

        init(_ text: String) throws {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: input)
            for file in [output, errors] { try Data().write(to: file) }
        }

        func remove() {
            // What is left behind in the system's folder for such things does no harm.
            try? FileManager.default.removeItem(at: folder)
        }
    }
}

/// The files of the package under test.
enum Checkout {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }
}
