/// The endpoints of one service, as the stored properties of a type.
///
/// ```swift
/// public struct BookmarksAPI: API {
///     public static let shared = BookmarksAPI()
///     public let save = Endpoint<NewBookmark, Bookmark>.post("/api/v1/bookmarks", "Save a link", …)
/// }
/// try await client.send(BookmarksAPI.save, NewBookmark(…))
/// ```
/// A property is all a new endpoint needs here: the list of endpoints and their names are read off the type, so that nothing can
/// be declared and forgotten.
@dynamicMemberLookup
public protocol API: Sendable {
    static var shared: Self { get }
    /// What the endpoints' names begin with, and their group in the documentation: `bookmarks`.
    static var name: String { get }
    /// The permissions that its endpoints ask for, and which roles have them.
    static var permissions: [PermissionGrant] { get }
}

extension API {
    public static var permissions: [PermissionGrant] { [] }
}

extension API {
    /// `BookmarksAPI.save` is `BookmarksAPI.shared.save`.
    public static subscript<Member>(dynamicMember path: KeyPath<Self, Member>) -> Member {
        shared[keyPath: path]
    }

    /// Every endpoint declared, in the order of their declaration.
    public static var operations: [NamedOperation] {
        Mirror(reflecting: shared).children.compactMap { child in
            guard let name = child.label, let endpoint = child.value as? any AnyEndpoint else { return nil }
            return NamedOperation(group: Self.name, name: name, operation: endpoint.operation)
        }
    }
}

/// An operation and what it is called: `bookmarks.save`.
public struct NamedOperation: Sendable {
    public let group: String
    public let name: String
    public let operation: APIOperation

    /// The operation's identifier in OpenAPI: `bookmarks_save`.
    public var identifier: String { "\(group)_\(WireJSON.snakeCase(name))" }
}

/// An endpoint of whatever input and output.
public protocol AnyEndpoint: Sendable {
    var operation: APIOperation { get }
}

extension Endpoint: AnyEndpoint {}
