import Foundation
import Testing

/// The Redis server that the tests use, at `MARTLET_TEST_REDIS_URL`.
public enum RedisServer {
    /// `nil` where none is configured: that is said once on standard error, and where `CI` is set it is an issue.
    public static var url: String? {
        if configured == nil { isMissing() }
        return configured
    }

    /// What the keys of one test begin with, and no other's do.
    public static func newPrefix() -> String { "test:\(UUID().uuidString.lowercased()):" }

    private static let configured = ProcessInfo.processInfo.environment["MARTLET_TEST_REDIS_URL"].flatMap { $0.isEmpty ? nil : $0 }

    private static func isMissing() {
        _ = warning
        if let ci = ProcessInfo.processInfo.environment["CI"], !ci.isEmpty { Issue.record(Comment(rawValue: missing)) }
    }

    private static let warning: Void = {
        let line = Array("WARNING: \(missing)\n".utf8)
        _ = write(STDERR_FILENO, line, line.count)
    }()

    private static let missing =
        "Redis is not configured: tests on it are left out. `make test` starts one; or set MARTLET_TEST_REDIS_URL."
}
