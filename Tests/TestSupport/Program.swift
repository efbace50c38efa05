import Foundation
import Subprocess
import Testing

#if canImport(System)
import System
#else
import SystemPackage
#endif

/// Programs that tests start. Foundation's own `Process` is not for us: on Linux it may end the test process, as it reads beyond
/// the list of open descriptors when there are many (https://github.com/swiftlang/swift-corelibs-foundation/issues/5472).
public enum Program {
    public struct Outcome: Sendable {
        /// What the program ended with; the negated number of the signal that ended it.
        public let status: Int32
        public let output: String
        public let errors: String
    }

    public struct Failed: Error {
        let command: [String]
        let output: String
    }

    /// Where a program is: on the search path, or where systems keep those that are not on everyone's.
    public static func find(_ name: String) -> String? {
        folders.map { "\($0)/\(name)" }.first(where: FileManager.default.isExecutableFile)
    }

    public static func areInstalled(_ names: String...) -> Bool { names.allSatisfy { find($0) != nil } }

    /// Where a program is. When it is missing, that is said on standard error, and is an issue where `CI` is set.
    public static func findOrWarn(_ name: String) -> String? {
        if let found = find(name) { return found }
        let missing = "\(name) is not installed: tests that need it are left out. `scripts/setup.sh test` installs it."
        FileHandle.standardError.write(Data("WARNING: \(missing)\n".utf8))
        if let ci = ProcessInfo.processInfo.environment["CI"], !ci.isEmpty { Issue.record(Comment(rawValue: missing)) }
        return nil
    }

    /// Runs a command, named as for a shell, to its end.
    public static func run(_ command: [String], input: String = "", in folder: String? = nil) async throws -> Outcome {
        let ended = try await Subprocess.run(
            configuration(command, folder), input: .string(input), output: .string(limit: mostOutput), error: .string(limit: mostOutput))
        return Outcome(status: ended.terminationStatus.number, output: ended.standardOutput, errors: ended.standardError)
    }

    /// Runs a command to its end, which has to be a good one.
    public static func runSuccessfully(_ command: [String]) async throws {
        let outcome = try await run(command)
        guard outcome.status == 0 else { throw Failed(command: command, output: outcome.output + outcome.errors) }
    }

    /// Runs `body` beside a program, and ends that afterwards. What it printed is shown when `body` fails.
    public nonisolated(nonsending) static func beside<Value: Sendable>(
        _ command: [String], endedBy signal: Int32, _ body: nonisolated(nonsending) () async throws -> Value
    ) async throws -> Value {
        let ended = try await Subprocess.run(
            configuration(command, "/"), input: .none, output: .string(limit: mostOutput), error: .combinedWithOutput
        ) { program in
            let outcome = await Result(body)
            try program.send(signal: Signal(rawValue: signal))
            return outcome
        }
        if case .failure = ended.closureResult { Issue.record("\(command[0]) printed: \(ended.standardOutput)") }
        return try ended.closureResult.get()
    }

    /// What makes a command run as another user than root, which PostgreSQL refuses.
    public static var unprivileged: [String] {
        geteuid() == 0 ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] : []
    }

    private static let mostOutput = 16 << 20

    private static func configuration(_ command: [String], _ folder: String?) -> Configuration {
        let executable: Executable = command[0].contains("/") ? .path(.init(command[0])) : .name(command[0])
        let arguments = Arguments(Array(command.dropFirst()))
        return Configuration(executable: executable, arguments: arguments, workingDirectory: folder.map { FilePath($0) })
    }

    private static let folders: [String] = {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let versions = "/usr/lib/postgresql"
        let found = (try? FileManager.default.contentsOfDirectory(atPath: versions)) ?? []
        return path.split(separator: ":").map(String.init) + found.sorted().reversed().map { "\(versions)/\($0)/bin" }
            + ["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin"]
    }()
}

extension TerminationStatus {
    fileprivate var number: Int32 {
        switch self {
        case .exited(let code): code
        case .signaled(let signal): -signal
        }
    }
}
