// MartletService: what a service is — what it serves, what it does by itself, and what it keeps.

public import MartletContract
public import MartletHTTP
public import MartletJobs
public import MartletStorage

/// A part of the product that owns its tables and answers its endpoints.
public protocol Service: Sendable {
    /// The endpoints it declares, read off its API.
    var operations: [NamedOperation] { get }
    /// What answers them: the table of contents of the service.
    var routes: [Route] { get }
    /// What it does beyond requests, and what runs it.
    var jobs: [JobHandler] { get }
    /// The jobs that the clock enqueues.
    var schedules: [ScheduledJob] { get }
    /// The limits of the queues that its jobs are in; a queue that is not named has those of ``JobQueue/standard``.
    var queues: [JobQueue] { get }
    /// What it keeps about people, so that they can have it and have it removed.
    var personalData: [PersonalData] { get }
    /// Its schema, oldest first.
    static var migrations: [Migration] { get }
    /// Its tables, each after those it refers to.
    static var tables: [StoredTable] { get }
}

extension Service {
    public var jobs: [JobHandler] { [] }
    public var schedules: [ScheduledJob] { [] }
    public var queues: [JobQueue] { [] }
    public var personalData: [PersonalData] { [] }
}

extension Service {
    /// Throws a sentence for each endpoint that nothing answers, and for each route that no API declares.
    public func checkRoutes() throws(UnservedEndpoints) {
        let declared = Set(operations.map { "\($0.operation.method) \($0.operation.path)" })
        let served = Set(routes.map { "\($0.operation.method) \($0.operation.path)" })
        let faults =
            declared.subtracting(served).sorted().map { "\($0) is declared, but nothing serves it." }
            + served.subtracting(declared).sorted().map { "\($0) is served, but no API declares it." }
        guard faults.isEmpty else { throw UnservedEndpoints(description: faults.joined(separator: "\n")) }
    }
}

/// A service whose API and routes differ: a mistake in the program, found when it starts.
public struct UnservedEndpoints: Error, CustomStringConvertible {
    public let description: String
}
