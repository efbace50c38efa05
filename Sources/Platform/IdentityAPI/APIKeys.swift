public import Foundation
public import MartletContract
public import MartletCore

/// What a key is called: 1 to 100 characters.
public enum APIKeyNameLimits: TextLimits {
    public static let length = 1...100
    public static let example = "nightly import"
}
public typealias APIKeyName = Text<APIKeyNameLimits>

/// How many days a key is to live: 1 to 3,650.
public struct APIKeyLifetime: Parsed {
    public static let standard = 365
    public static let schema = Schema.integer(1...3_650, default: standard, "After how many days it expires.")
    public static let example = standard
    public let raw: Int

    public init(_ raw: Int) throws(Fault) {
        guard (1...3_650).contains(raw) else { throw Fault(code: "out_of_range", message: "This must be from 1 to 3650.") }
        self.raw = raw
    }
}

/// How many seconds a key is accepted beside its successor: 0 to 604,800, a week.
public struct APIKeyOverlap: Parsed {
    public static let standard = 86_400
    public static let schema = Schema.integer(0...604_800, default: standard, "For how many seconds the old key is still accepted.")
    public static let example = standard
    public let raw: Int

    public init(_ raw: Int) throws(Fault) {
        guard (0...604_800).contains(raw) else { throw Fault(code: "out_of_range", message: "This must be from 0 to 604800.") }
        self.raw = raw
    }
}

public struct NewAPIKey: Codable, Sendable {
    /// Unlike those of one's other keys that can be used.
    public var name: APIKeyName
    /// What it may do at most; all that one may do oneself, unless said otherwise.
    public var permissions: PermissionList?
    public var expiresInDays: APIKeyLifetime?

    public init(name: APIKeyName, permissions: PermissionList? = nil, expiresInDays: APIKeyLifetime? = nil) {
        (self.name, self.permissions, self.expiresInDays) = (name, permissions, expiresInDays)
    }
}

/// Names a key.
public struct APIKeyReference: Codable, Sendable {
    public var id: Identifier<APIKey>

    public init(id: Identifier<APIKey>) { self.id = id }
}

public struct APIKeyRotation: Codable, Sendable {
    public var id: Identifier<APIKey>
    public var overlapSeconds: APIKeyOverlap?

    public init(id: Identifier<APIKey>, overlapSeconds: APIKeyOverlap? = nil) {
        (self.id, self.overlapSeconds) = (id, overlapSeconds)
    }
}

/// A key as its owner sees it, without what it opens anything with.
public struct OwnAPIKey: Codable, Sendable, Equatable {
    public var id: Identifier<APIKey>
    public var name: APIKeyName
    /// The first 8 characters after `mk_`, to know it by.
    public var prefix: String
    /// What it may do at most. Of these it may do what its owner may at the moment.
    public var permissions: PermissionList
    /// The organisation that it acts for; `nil` for its owner alone.
    public var organisationId: Identifier<Organisation>?
    public var createdAt: Date
    public var expiresAt: Date
    /// When it was last used, to within a minute or two; `nil` before that.
    public var lastUsedAt: Date?
    /// When another one took its place; it is accepted until it expires.
    public var replacedAt: Date?

    public init(
        id: Identifier<APIKey>, name: APIKeyName, prefix: String, permissions: PermissionList,
        organisationId: Identifier<Organisation>? = nil, createdAt: Date, expiresAt: Date, lastUsedAt: Date? = nil, replacedAt: Date? = nil
    ) {
        (self.id, self.name, self.prefix, self.permissions) = (id, name, prefix, permissions)
        (self.organisationId, self.createdAt, self.expiresAt) = (organisationId, createdAt, expiresAt)
        (self.lastUsedAt, self.replacedAt) = (lastUsedAt, replacedAt)
    }
}

public struct APIKeyList: Codable, Sendable, Equatable {
    public var keys: [OwnAPIKey]

    public init(keys: [OwnAPIKey]) { self.keys = keys }
}

/// A new key with what it opens everything with: the only time that it is told.
public struct IssuedAPIKey: Codable, Sendable {
    public var id: Identifier<APIKey>
    public var name: APIKeyName
    public var prefix: String
    public var permissions: PermissionList
    public var organisationId: Identifier<Organisation>?
    public var createdAt: Date
    public var expiresAt: Date
    public var key: APIKeySecret

    public init(_ own: OwnAPIKey, key: APIKeySecret) {
        (id, name, prefix, permissions) = (own.id, own.name, own.prefix, own.permissions)
        (organisationId, createdAt, expiresAt) = (own.organisationId, own.createdAt, own.expiresAt)
        self.key = key
    }
}
