// MartletCache: what has been computed is kept, for as long as what it was made of does not change.

/// The name of something that kept values depend on, such as `product:42`: a write to it evicts them.
public struct CacheTag: Hashable, Sendable, ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
    public let name: String

    public init(_ name: String) { self.name = name }
    public init(stringLiteral name: String) { self.init(name) }
}
