import Foundation
public import MartletStorage

/// That kept values are out of date which depend on some tags: an entry of the outbox.
public struct Eviction: Codable, Sendable, Hashable {
    /// Its own, so that who hears of it twice can tell.
    public let id: String
    public let tags: [CacheTag]

    public init(tags: [CacheTag]) { (id, self.tags) = (UUID().uuidString, tags) }

    static let topic: Topic = "cache.evict"
}

extension Transaction {
    /// Evicts what depends on one of the tags, when and only when this transaction commits: from this process and the shared tier before the
    /// caller of the transaction is answered, from every other process as soon as it hears of the commit. When the shared tier is slow, it
    /// goes from there a moment later; this process reads nothing from there meanwhile that depends on the tags.
    ///
    /// It costs one statement; name all tags at once. Safe to repeat. What others read between the commit and the eviction may be old; who
    /// waited for the commit reads nothing older than it here.
    public func evict(_ tags: CacheTag...) async throws { try await evict(tags) }

    /// The same for a list; an empty one evicts nothing.
    public func evict(_ tags: [CacheTag]) async throws {
        guard !tags.isEmpty else { return }
        let eviction = Eviction(tags: tags)
        try await Outbox.append(Eviction.topic, key: "tags", eviction, in: self)
        tell(Eviction.topic, eviction)
    }
}

extension CacheTag: Codable {
    public init(from decoder: any Decoder) throws { self.init(try decoder.singleValueContainer().decode(String.self)) }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(name)
    }
}

/// The evictions that this process applied when it committed them, which its tail will tell it of once more. Bounded: one that was
/// forgotten is applied again, which does no harm.
struct OwnEvictions: Sendable {
    private static let most = 10_000
    private var ids: Set<String> = []

    mutating func add(_ id: String) {
        if ids.count >= Self.most { ids = [] }
        ids.insert(id)
    }

    /// Whether it was there.
    mutating func take(_ id: String) -> Bool { ids.remove(id) != nil }
}
