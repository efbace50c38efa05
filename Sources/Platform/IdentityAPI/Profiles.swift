public import MartletContract

/// What to change of one's own profile.
public struct ProfileChange: Codable, Sendable {
    public var username: Username?
    public var name: Change<PersonName>

    public init(username: Username? = nil, name: Change<PersonName> = .unchanged) {
        self.username = username
        self.name = name
    }
}

/// What it takes to delete one's own account: a token alone does not suffice.
public struct AccountDeletion: Codable, Sendable {
    public var password: GivenPassword

    public init(password: GivenPassword) {
        self.password = password
    }
}

/// A username that somebody would like to have.
public struct UsernameQuestion: Codable, Sendable {
    public var username: Username

    public init(_ username: Username) {
        self.username = username
    }
}

/// Whether a username is free.
public struct UsernameAvailability: Codable, Sendable, Equatable {
    public var username: Username
    public var available: Bool
    /// Three that are free, when this one is not. Another may be quicker.
    public var suggestions: [Username]

    public init(username: Username, available: Bool, suggestions: [Username]) {
        self.username = username
        self.available = available
        self.suggestions = suggestions
    }
}
