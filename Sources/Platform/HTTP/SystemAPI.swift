import HTTPTypes
public import MartletContract
import MartletCore

/// What load balancers and operators ask.
public struct SystemAPI: API {
    public static let shared = SystemAPI()
    public static let name = "system"

    public let live = Endpoint<NoContent, Health>.get(
        "/health/live", "Tell whether the process answers", details: "Looks at no dependency.", allow: .anyone, limit: .none)

    public let ready = Endpoint<NoContent, Health>.get(
        "/health/ready", "Tell whether requests should be sent here",
        details: """
            Looks at what every request needs; 503 while it is away or while the server is shutting down. What works less well than it \
            should, though requests can be served, is listed in `degraded`.
            """,
        allow: .anyone, limit: .none, failures: [.unavailable])
}

/// The answer of a health check that passed; one that fails is a Problem.
public struct Health: Codable, Sendable, Equatable {
    public enum Status: String, Codable, Sendable, CaseIterable { case ok }
    public var status: Status
    /// What works less well than it should; absent when all is well.
    public var degraded: [Part]?

    /// What can work less well without keeping requests from being served.
    public enum Part: String, Codable, Sendable, CaseIterable {
        /// Limits are not shared between instances at this moment.
        case rateLimit = "rate_limit"
    }

    public static let ok = Health(status: .ok)
}

extension SystemAPI {
    /// - Parameters:
    ///   - degraded: What works less well than it should.
    ///   - check: Throws the failure that keeps this instance from serving.
    public static func routes(
        degraded: @escaping @Sendable () -> [Health.Part] = { [] }, check: @escaping @Sendable () async throws -> Void
    ) -> [Route] {
        [
            serve(open: SystemAPI.live) { _, _ in Reply(.ok, fields: [.cacheControl: "no-store"]) },
            serve(open: SystemAPI.ready) { _, _ in
                try await check()
                let parts = degraded()
                return Reply(Health(status: .ok, degraded: parts.isEmpty ? nil : parts), fields: [.cacheControl: "no-store"])
            },
        ]
    }
}
