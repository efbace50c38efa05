public import Testing

/// A database engine that tests can run on.
public enum Engine: String, Sendable, CaseIterable, CustomTestStringConvertible {
    case sqlite

    public var testDescription: String { rawValue }

    /// The engine of the test that is running.
    @TaskLocal public static var current = Engine.sqlite
}

/// Runs a test once on every database that there is.
public struct EveryDatabase: SuiteTrait, TestTrait, TestScoping {
    public let isRecursive = true

    public func scopeProvider(for test: Test, testCase: Test.Case?) -> EveryDatabase? {
        testCase == nil ? nil : self
    }

    public func provideScope(for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void) async throws {
        for engine in Engine.allCases {
            try await Engine.$current.withValue(engine) { try await function() }
        }
    }
}

extension Trait where Self == EveryDatabase {
    /// Runs the test once on every database that there is.
    public static var everyDatabase: Self { EveryDatabase() }
}
