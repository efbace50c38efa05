import Foundation
import MartletTestServers
import Testing

/// Programs that tests start, of which some refuse to run as root.
enum Programs {
    struct Failed: Error {
        let command: [String]
        let output: String
    }

    /// Where a program is; `nil` when it is not installed, which is said on standard error, and is an issue where `CI` is set.
    static func find(_ name: String) -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let folders = path.split(separator: ":").map(String.init) + postgresFolders + ["/usr/sbin", "/usr/local/sbin"]
        if let found = folders.map({ "\($0)/\(name)" }).first(where: FileManager.default.isExecutableFile) { return found }
        let missing = "\(name) is not installed: tests that need it are left out. `scripts/setup.sh test` installs it."
        warn(missing)
        if let ci = ProcessInfo.processInfo.environment["CI"], !ci.isEmpty { Issue.record(Comment(rawValue: missing)) }
        return nil
    }

    private static let postgresFolders: [String] = {
        let versions = "/usr/lib/postgresql"
        let found = (try? FileManager.default.contentsOfDirectory(atPath: versions)) ?? []
        return found.sorted().reversed().map { "\(versions)/\($0)/bin" }
    }()

    /// What makes a command run as another user than root.
    static var unprivileged: [String] {
        geteuid() == 0 ? ["/usr/bin/env", "setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] : []
    }

    /// Starts a command with its output in a file.
    static func start(_ command: [String], output: URL, whenEnded: @escaping @Sendable (Int32) -> Void = { _ in }) throws -> Process {
        _ = FileManager.default.createFile(atPath: output.path, contents: nil)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = Array(command.dropFirst())
        process.currentDirectoryURL = URL(fileURLWithPath: "/")
        process.standardInput = FileHandle.nullDevice
        let file = try FileHandle(forWritingTo: output)
        (process.standardOutput, process.standardError) = (file, file)
        process.terminationHandler = { whenEnded($0.terminationStatus) }
        try process.run()
        return process
    }

    /// Runs `body`, and ends the process afterwards.
    static func beside(_ process: Process, endedBy signal: Int32, _ body: () async throws -> Void) async throws {
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
        kill(process.processIdentifier, signal)
        try await eventually("the process ends") { !process.isRunning }
        try outcome.get()
    }

    /// Runs a command to its end.
    static func run(_ command: [String]) async throws {
        let output = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-output-\(UUID())")
        defer { try? FileManager.default.removeItem(at: output) }
        let status = try await withCheckedThrowingContinuation { (ended: CheckedContinuation<Int32, any Error>) in
            do { _ = try start(command, output: output) { ended.resume(returning: $0) } } catch { ended.resume(throwing: error) }
        }
        guard status == 0 else { throw Failed(command: command, output: (try? String(contentsOf: output, encoding: .utf8)) ?? "") }
    }

    /// Gives `body` a folder that every user may pass, and removes it afterwards.
    static func withFolder(_ body: (URL) async throws -> Void) async throws {
        let folder = URL(fileURLWithPath: "/tmp/martlet-test-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        do { try await body(folder) } catch {
            try? FileManager.default.removeItem(at: folder)
            throw error
        }
        try FileManager.default.removeItem(at: folder)
    }
}

private func warn(_ text: String) {
    let line = Array("WARNING: \(text)\n".utf8)
    _ = line.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
}
