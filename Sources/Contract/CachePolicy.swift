/// How long an endpoint's answers are kept, what makes them out of date, and whose they are.
///
/// ```swift
/// let product = Endpoint<ByID<Product>, Product>.get("/api/v1/products/{id}", "Read one product", allow: .anyone,
///     cache: .for(60, tags: "product:{id}"))
/// ```
public struct CachePolicy: Sendable, Hashable {
    /// How long an answer is kept, in seconds.
    public let seconds: Int
    /// How long it may be served beyond that while a new one is made, in seconds.
    public let staleSeconds: Int
    /// What the answer depends on; `{name}` stands for the path's parameter. What a handler reads beyond that it says itself.
    public let tags: [String]
    /// The request's header fields that the answer depends on, beside its path and query.
    public let varyBy: [String]

    /// - Parameters:
    ///   - seconds: 1 or more.
    ///   - stale: How long an answer that has run out is still served, while a new one is made.
    public static func `for`(_ seconds: Int, stale: Int = 0, tags: String..., varyBy: [String] = []) -> CachePolicy {
        precondition(seconds > 0 && stale >= 0, "An answer is kept for a second or more.")
        return CachePolicy(seconds: seconds, staleSeconds: stale, tags: tags, varyBy: varyBy)
    }
}
