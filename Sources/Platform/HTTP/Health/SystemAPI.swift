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

    public let health = Endpoint<NoContent, Health>.get(
        "/health", "Tell whether all is well", details: "Answers as `/health/ready` does.", allow: .anyone, limit: .none,
        failures: [.unavailable])

    public let database = Endpoint<NoContent, PartHealth>.get(
        "/health/database", "Tell whether the database answers", allow: .anyone, limit: .none, failures: [.unavailable])

    public let redis = Endpoint<NoContent, PartHealth>.get(
        "/health/redis", "Tell whether Redis answers", details: "The status is `off` where no Redis is used.", allow: .anyone, limit: .none,
        failures: [.unavailable])

    public let detailed = Endpoint<NoContent, DetailedHealth>.get(
        "/health/detailed", "Tell everything an operator looks at first",
        details: "Of the instance that answers. Always 200: what is away is said in the answer.", allow: .permission(Self.permission))

    /// The permission to see the details.
    public static let permission: Permission = "health:read"
    public static let permissions = [PermissionGrant.own(permission, to: .analyst)]
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
        /// What is kept is not shared between instances at this moment.
        case cache
    }

    public static let ok = Health(status: .ok)
}

/// How one dependency is.
public struct PartHealth: Codable, Sendable, Equatable {
    public enum Status: String, Codable, Sendable, CaseIterable {
        case ok, unavailable
        /// It is not used.
        case off
    }
    public var status: Status
    /// How long it took to answer; absent where it did not.
    public var milliseconds: Double?

    public init(status: Status, milliseconds: Double? = nil) {
        (self.status, self.milliseconds) = (status, milliseconds)
    }
}
