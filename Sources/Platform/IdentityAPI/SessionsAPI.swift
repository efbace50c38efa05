public import Foundation
public import MartletContract
public import MartletCore

/// Seeing where one is logged in, and ending that.
public struct SessionsAPI: API {
    public static let shared = SessionsAPI()
    public static let name = "sessions"

    public let list = Endpoint<NoContent, ActiveSessions>.get(
        "/api/v1/auth/sessions", "List where one is logged in, the latest login first", allow: .loggedIn)

    public let end = Endpoint<SessionReference, NoContent>.delete(
        "/api/v1/auth/sessions/{id}", "End one of one's sessions",
        details: "Its access ends on every instance within a second.", allow: .loggedIn, failures: [.notFound])

    public let endAll = Endpoint<SessionsToEnd, NoContent>.delete(
        "/api/v1/auth/sessions", "End all one's sessions but this one",
        details: "With `?all=true` this one ends, too.", allow: .loggedIn)
}

/// Where somebody is logged in.
public struct ActiveSessions: Codable, Sendable, Equatable {
    public var sessions: [ActiveSession]

    public init(sessions: [ActiveSession]) {
        self.sessions = sessions
    }
}

/// A login that can still be continued.
public struct ActiveSession: Codable, Sendable, Equatable {
    public var id: Identifier<LoginSession>
    /// What the program that logged in called itself: at most 100 visible ASCII characters, none of which means anything to HTML.
    public var device: String?
    /// The address that the login came from.
    public var address: String?
    public var createdAt: Date
    /// When it was last used, to within a minute or two.
    public var seenAt: Date
    /// Whether it is the one that asks.
    public var isCurrent: Bool

    public init(id: Identifier<LoginSession>, device: String?, address: String?, createdAt: Date, seenAt: Date, isCurrent: Bool) {
        self.id = id
        self.device = device
        self.address = address
        self.createdAt = createdAt
        self.seenAt = seenAt
        self.isCurrent = isCurrent
    }
}

/// Names a session.
public struct SessionReference: Codable, Sendable {
    public var id: Identifier<LoginSession>

    public init(id: Identifier<LoginSession>) {
        self.id = id
    }
}

/// Whether all sessions are meant.
public struct SessionsToEnd: Codable, Sendable {
    public enum Choice: String, Codable, Sendable, CaseIterable {
        case no = "false"
        case yes = "true"
    }

    /// Ends the one that asks, too.
    public var all: Choice?

    public init(all: Choice? = nil) {
        self.all = all
    }
}
