public import MartletContract
import MartletCore

/// The first administrator, by the link that a server prints which has none.
public struct SetupAPI: API {
    public static let shared = SetupAPI()
    public static let name = "setup"

    public let complete = Endpoint<FirstAdministrator, User>.post(
        "/api/v1/setup", "Create the first administrator",
        details: """
            With the token of the link that the server printed when it started without an administrator. It works once, for a day, and not \
            any more once there is an administrator.
            """,
        allow: .anyone, returns: .created, limit: .login, failures: [.unauthenticated, .conflict])
}

/// Who is to have the role `admin`, and the token that says they may.
public struct FirstAdministrator: Codable, Sendable {
    public var token: SetupToken
    public var email: EmailAddress
    public var username: Username
    public var name: PersonName?
    public var password: Password

    public init(token: SetupToken, email: EmailAddress, username: Username, name: PersonName? = nil, password: Password) {
        (self.token, self.email, self.username, self.name, self.password) = (token, email, username, name, password)
    }
}

/// What makes the first administrator, once.
public typealias SetupToken = OpaqueToken<SetupPurpose>
public enum SetupPurpose {}
