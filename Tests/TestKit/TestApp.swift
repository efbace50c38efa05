// MartletTestKit: the real application, started for a test.

import Foundation
public import Logging
public import MartletApp
public import MartletClient
import MartletContract
public import MartletCore
public import MartletIdentityAPI
import MartletJobs
public import MartletSettings
public import MartletSupervisor
public import MartletTelemetry
import MartletTestServers
public import MartletTestSupport
import NIOCore

/// A running application with a database of its own, of the engine that the test runs on.
public struct TestApp: Sendable {
    /// On most engines there is one.
    public let instances: [App]
    public let baseURL: String
    public let port: Int
    /// A folder that vanishes with the app; its database lies in it.
    public let folder: String

    /// The first of its instances.
    public var app: App { instances[0] }

    /// A client that is not logged in.
    public var client: MartletClient { MartletClient(baseURL: baseURL, http: Engine.http) }

    /// Runs all jobs that are due, and returns how many attempts that took.
    @discardableResult
    public func runJobs() async throws -> Int { try await app.worker.runDue() }

    /// A client logged in to a new account.
    public func signUp(_ name: String = "ada") async throws -> MartletClient {
        let client = self.client
        try await client.register(.of(name))
        return client
    }
}

/// Starts the application on a free port, runs `body`, stops it, and removes what it stored.
///
/// - Parameter change: What differs from the settings of a development machine.
public func withApp(
    clock: WallClock = .system, logger: Logger = .silent, logs: Logs = Logs(), inFlight: InFlight? = nil,
    change: (inout Settings) -> Void = { _ in },
    _ body: (TestApp) async throws -> Void
) async throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    var settings = try folder.settings()
    change(&settings)
    try await withRunningApp(settings, folder: folder.path, clock: clock, logger: logger, logs: logs, inFlight: inFlight, body)
}

/// Runs the application with exactly these settings.
public func withRunningApp(
    _ settings: Settings, folder: String, clock: WallClock = .system, logger: Logger = .silent, logs: Logs = Logs(),
    inFlight: InFlight? = nil, _ body: (TestApp) async throws -> Void
) async throws {
    try await Engine.schemas?.create(TemporaryFolder.schema(of: folder))
    var instances: [App] = []
    for _ in 0..<Engine.current.instances {
        let app = try await App(settings, logger: logger, logs: logs, clock: clock, inFlight: inFlight)
        try await app.prepare()
        instances.append(app)
    }
    try await withPorts(of: instances[...]) { [instances] ports in
        try await withFront(to: ports) { port in
            try await body(TestApp(instances: instances, baseURL: "http://127.0.0.1:\(port)", port: port, folder: folder))
        }
    }
}

private func withPorts(of instances: ArraySlice<App>, _ ports: [Int] = [], _ body: ([Int]) async throws -> Void) async throws {
    guard let instance = instances.first else { return try await body(ports) }
    try await withPort(of: instance) { try await withPorts(of: instances.dropFirst(), ports + [$0], body) }
}

/// Runs `body` with the port that leads to all of them.
private func withFront(to ports: [Int], _ body: (Int) async throws -> Void) async throws {
    if ports.count == 1 { return try await body(ports[0]) }
    let front = try await Front(to: ports)
    let result = await Result { try await body(front.port) }
    try await front.close()
    try result.get()
}

private func withPort(of app: App, _ body: (Int) async throws -> Void) async throws {
    let (ports, port) = AsyncStream.makeStream(of: Int.self)
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            defer { port.finish() }
            try await app.run(signals: false) { port.yield($0) }
        }
        guard let bound = await ports.first(where: { _ in true }) else {
            try await group.waitForAll()
            return
        }
        let result = await Result { try await body(bound) }
        group.cancelAll()
        try? await group.waitForAll()
        try result.get()
    }
}

extension Registration {
    public static let password = "correct horse battery"

    /// An account of that name, at example.org.
    public static func of(_ name: String) throws -> Registration {
        Registration(email: try EmailAddress("\(name)@example.org"), username: try Username(name), password: try Password(password))
    }
}

/// A folder for one test.
public struct TemporaryFolder: Sendable {
    public let path: String

    public init() throws {
        path = NSTemporaryDirectory() + "martlet-test-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    public func remove() {
        // What is left behind in the system's folder for such things does no harm.
        try? FileManager.default.removeItem(atPath: path)
    }

    /// The settings of a development machine, on a free port, with the cheapest password hashes: tests are about other things.
    /// The database is of the engine that the test runs on, and belongs to this folder.
    public func settings(_ environment: [String: String] = [:]) throws -> Settings {
        let defaults = [
            "ENVIRONMENT": "test", "PORT": "0", "DATABASE_URL": databaseURL, "COOKIE_SECURE": "false", "ARGON2_MEMORY_KIB": "64",
            "ARGON2_ITERATIONS": "1", "DOCS_ASSETS": "\(path)/assets", "SHUTDOWN_TIMEOUT": "5s",
            // One test has more to do in a minute than a person.
            "RATE_LIMIT_ENABLED": "false",
            // A machine that is busy with tests looks overloaded.
            "OVERLOAD_PROTECTION": "false",
            // Tests run them when they want to.
            "JOBS_IN_SERVER": "false",
            // A machine that is busy with tests makes Redis look slow.
            "CACHE_SHARED_TIMEOUT": "10s",
            // Many tests share one server.
            "DATABASE_POOL_SIZE": "4", "DATABASE_MAX_OVERFLOW": "4", "DATABASE_PIPELINES": "1",
        ]
        let shared = Engine.current.sharedStore(of: Self.schema(of: path))
        return try Settings.load(environment: defaults.merging(shared) { $1 }.merging(environment) { $1 }, arguments: [], folder: path)
    }

    private var databaseURL: String {
        Engine.schemas?.url(of: Self.schema(of: path)) ?? "sqlite://\(path)/martlet.db"
    }

    /// Where the data lies on a server that belongs to a folder.
    static func schema(of folder: String) -> String {
        "test_" + URL(filePath: folder).lastPathComponent.lowercased().filter { $0.isLetter || $0.isNumber }
    }
}
