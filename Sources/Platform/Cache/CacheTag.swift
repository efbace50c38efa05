// MartletCache: what has been computed is kept, for as long as what it was made of does not change.

import Synchronization

/// The name of something that kept values depend on, such as `product:42`: a write to it evicts them.
public struct CacheTag: Hashable, Sendable, ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
    public let name: String

    public init(_ name: String) { self.name = name }
    public init(stringLiteral name: String) { self.init(name) }
}

/// What the computation of a kept value has used, said where it is known: beside the SQL, not where the value is kept.
public enum CacheTags {
    @TaskLocal private static var collector: Collector?

    /// Makes the values that are being computed around this call depend on the tags. Elsewhere it does nothing.
    public static func use(_ tags: CacheTag...) { collector?.add(tags) }

    /// The same for a list.
    public static func use(_ tags: [CacheTag]) { collector?.add(tags) }

    /// Runs `body`, and returns what was used in it, and in child tasks of it, each once.
    static func collecting<Result>(
        _ body: () async throws -> Result, isolation: isolated (any Actor)? = #isolation
    ) async rethrows -> (Result, [CacheTag]) {
        let collector = Collector()
        let result = try await $collector.withValue(collector, operation: body)
        return (result, collector.tags)
    }
}

/// A set that keeps the order, for a few dozen tags.
private final class Collector: Sendable {
    private let kept = Mutex((order: [CacheTag](), known: Set<CacheTag>()))

    var tags: [CacheTag] { kept.withLock { $0.order } }

    func add(_ tags: [CacheTag]) {
        kept.withLock { kept in
            for tag in tags where kept.known.insert(tag).inserted { kept.order.append(tag) }
        }
    }
}
