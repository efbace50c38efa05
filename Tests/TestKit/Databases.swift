import AsyncHTTPClient
import MartletTestServers
import NIOCore
public import Testing

/// What tests can run on.
public enum Engine: String, Sendable, CaseIterable, CustomTestStringConvertible {
    case sqlite, postgres
    /// Two instances with one address, on PostgreSQL and Redis; left out where either is missing.
    case cluster

    public var testDescription: String { rawValue }

    /// The engine of the test that is running.
    @TaskLocal public static var current = Engine.sqlite
    /// Where the running test keeps its data on PostgreSQL.
    @TaskLocal static var schemas: PostgresSchemas?

    /// Runs `test` on this engine; what it stored on a server is removed afterwards.
    fileprivate func run(_ test: @Sendable () async throws -> Void) async throws {
        switch self {
        case .sqlite: try await Self.$current.withValue(self) { try await test() }
        case .cluster where RedisServer.url == nil: break
        case .postgres, .cluster:
            try await PostgresServer.withSchemas { schemas in
                try await Self.$current.withValue(self) { try await Self.$schemas.withValue(schemas) { try await test() } }
            }
        }
    }
}

extension Engine {
    /// How many instances serve.
    var instances: Int { self == .cluster ? 2 : 1 }

    /// Where instances keep what they share beside the database, for each test apart.
    func sharedStore(of name: String) -> [String: String] {
        guard self == .cluster, let url = RedisServer.url else { return [:] }
        return ["REDIS_URL": url, "REDIS_PREFIX": "\(name):"]
    }

    /// The connections of clients. Those to several instances are not kept, so that each request goes to another one than the last.
    static var http: HTTPClient { current.instances > 1 ? fleeting : .shared }

    private static let fleeting: HTTPClient = {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.idleTimeout = .nanoseconds(1)
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()
}

/// Runs a test once on every one of its engines. A test within a suite that has this trait too runs on those that both name.
public struct EveryDatabase: SuiteTrait, TestTrait, TestScoping {
    public let isRecursive = true
    let engines: [Engine]
    @TaskLocal private static var isChosen = false

    public func scopeProvider(for test: Test, testCase: Test.Case?) -> EveryDatabase? {
        testCase == nil ? nil : self
    }

    public func provideScope(for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void) async throws {
        guard !Self.isChosen else {
            if engines.contains(Engine.current) { try await function() }
            return
        }
        for engine in engines {
            let naming = IssueHandlingTrait.compactMapIssues { issue in
                var named = issue
                named.comments.append("On \(engine).")
                return named
            }
            try await Self.$isChosen.withValue(true) {
                try await naming.provideScope(for: test, testCase: testCase) { try await engine.run(function) }
            }
        }
    }
}

extension Trait where Self == EveryDatabase {
    /// Runs the test once on every database that there is, and on two instances.
    public static var everyDatabase: Self { EveryDatabase(engines: Engine.allCases) }

    /// Runs the test once on every database that one instance has for itself: for what only that instance promises.
    public static var oneInstance: Self { EveryDatabase(engines: [.sqlite, .postgres]) }

    /// Runs the test on one of them, for what only that one has.
    public static func only(_ engine: Engine) -> Self { EveryDatabase(engines: [engine]) }
}
