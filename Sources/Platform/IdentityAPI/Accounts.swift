public import Foundation
public import MartletContract
public import MartletCore

/// A person's account, as its owner sees it.
public struct User: Codable, Sendable, Equatable {
    public var id: Identifier<Account>
    public var email: EmailAddress
    public var username: Username
    public var name: PersonName?
    public var createdAt: Date
    /// When its owner proved that mail to the address reaches them; absent until then.
    public var emailVerifiedAt: Date?

    public init(
        id: Identifier<Account>, email: EmailAddress, username: Username, name: PersonName?, createdAt: Date, emailVerifiedAt: Date? = nil
    ) {
        self.id = id
        self.email = email
        self.username = username
        self.name = name
        self.createdAt = createdAt
        self.emailVerifiedAt = emailVerifiedAt
    }
}

/// What it takes to sign up.
public struct Registration: Codable, Sendable {
    public var email: EmailAddress
    public var username: Username
    public var password: Password
    public var name: PersonName?
    public var cookie: Bool?

    public init(email: EmailAddress, username: Username, password: Password, name: PersonName? = nil, cookie: Bool? = nil) {
        self.email = email
        self.username = username
        self.password = password
        self.name = name
        self.cookie = cookie
    }
}

/// What it takes to log in.
public struct Login: Codable, Sendable {
    /// An e-mail address or a username.
    public var login: LoginName
    public var password: GivenPassword
    /// Of a device that was remembered: spares it the second factor. Browsers send it as a cookie.
    public var deviceToken: DeviceToken?
    public var cookie: Bool?

    public init(login: LoginName, password: GivenPassword, deviceToken: DeviceToken? = nil, cookie: Bool? = nil) {
        self.login = login
        self.password = password
        self.deviceToken = deviceToken
        self.cookie = cookie
    }
}

/// The refresh token to exchange, or to end.
public struct Refresh: Codable, Sendable {
    /// Left out by browsers, which send it as a cookie.
    public var refreshToken: RefreshToken?

    public init(refreshToken: RefreshToken? = nil) {
        self.refreshToken = refreshToken
    }
}

/// What a successful login gives.
public struct Session: Codable, Sendable {
    public var user: User
    /// For the `Authorization: Bearer` header.
    public var accessToken: String
    /// Absent when it went into a cookie.
    public var refreshToken: RefreshToken?
    public var tokenType: String
    /// Seconds until the access token expires.
    public var expiresIn: Int
    /// Of a device that is to be remembered, for its later logins. Absent when it went into a cookie.
    public var deviceToken: DeviceToken?
    /// `true` where the account has to turn a second factor on: until then, and a refresh after it, the access token has no permissions.
    public var mfaSetupRequired: Bool?

    public init(
        user: User, accessToken: String, refreshToken: RefreshToken?, expiresIn: Int, deviceToken: DeviceToken? = nil,
        mfaSetupRequired: Bool? = nil
    ) {
        self.user = user
        self.accessToken = accessToken
        self.refreshToken = refreshToken
        self.tokenType = "Bearer"
        self.expiresIn = expiresIn
        self.deviceToken = deviceToken
        self.mfaSetupRequired = mfaSetupRequired
    }
}

public enum PersonNameLimits: TextLimits {
    public static let length = 1...120
    public static let example = "Ada Lovelace"
}
public typealias PersonName = Text<PersonNameLimits>

public enum LoginNameLimits: TextLimits {
    public static let length = 1...254
    public static let example = "ada@example.org"
    public static let summary: String? = "An e-mail address or a username."
}
public typealias LoginName = Text<LoginNameLimits>
