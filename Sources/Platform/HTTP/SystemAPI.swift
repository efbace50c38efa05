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
        details: "Looks at what every request needs; 503 while it is away or while the server is shutting down.",
        allow: .anyone, limit: .none, failures: [.unavailable])
}

/// The answer of a health check that passed; one that fails is a Problem.
public struct Health: Codable, Sendable, Equatable {
    public enum Status: String, Codable, Sendable, CaseIterable { case ok }
    public var status: Status

    public static let ok = Health(status: .ok)
}

extension SystemAPI {
    /// - Parameter check: Throws the failure that keeps this instance from serving.
    public static func routes(check: @escaping @Sendable () async throws -> Void) -> [Route] {
        [
            serve(open: SystemAPI.live) { _, _ in Reply(.ok, fields: [.cacheControl: "no-store"]) },
            serve(open: SystemAPI.ready) { _, _ in
                try await check()
                return Reply(.ok, fields: [.cacheControl: "no-store"])
            },
        ]
    }
}
