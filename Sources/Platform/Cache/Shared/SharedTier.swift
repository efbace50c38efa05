/// What several processes keep together, in a server such as Redis.
///
/// What it answers was made after the last eviction of each of its tags that was applied to it, and after the last time everything was
/// forgotten. Its calls throw when the server is away or slow; they are bounded in time. All are safe to repeat.
public protocol SharedTier: Sendable {
    /// Whether calls are worth making now; cheap to ask.
    var isAvailable: Bool { get }

    /// The entry of a key, or else a ticket to fill it with, which is to be taken before what is to be kept is computed.
    ///
    /// - Parameters:
    ///   - tags: What the entry will depend on, as far as it is known by now.
    ///   - holder: Who would fill it: the first one to ask does, until it has stored it, released it, or two seconds are over.
    ///   - renews: Whether an entry whose time has run out counts as none.
    func look(_ key: String, tags: [CacheTag], holder: String, renews: Bool) async throws -> SharedLook

    /// The entry of a key; asks for nothing to be filled.
    func read(_ key: String) async throws -> SharedEntry?

    /// Keeps an entry, unless one of its tags was evicted since the ticket was given; the key's filling is over.
    func store(_ entry: SharedEntry, for key: String, with ticket: SharedTicket) async throws

    /// Gives up filling a key.
    func release(_ key: String, _ ticket: SharedTicket) async throws

    /// Makes everything out of date that depends on one of the tags. Repeated with the same id, it may do nothing.
    func evict(_ eviction: Eviction) async throws

    func remove(_ key: String) async throws

    /// Makes everything out of date.
    func forgetEverything() async throws
}

/// What a look at the shared tier found.
public enum SharedLook: Sendable {
    case hit(SharedEntry)
    /// It is for this caller to compute.
    case miss(SharedTicket)
    /// Another process is computing it.
    case busy(SharedTicket)
}

/// What is kept under a key.
public struct SharedEntry: Sendable, Hashable {
    /// `nil` when it is known that there is nothing.
    public let bytes: [UInt8]?
    public let tags: [CacheTag]
    public let age: Duration
    /// How long it will be fresh; not above zero once its time has run out.
    public let fresh: Duration
    /// How long it may be served after that.
    public let stale: Duration

    public init(bytes: [UInt8]?, tags: [CacheTag], age: Duration = .zero, fresh: Duration, stale: Duration) {
        (self.bytes, self.tags, self.age, self.fresh, self.stale) = (bytes, tags, age, fresh, stale)
    }
}

/// The state of the shared tier when something began to be computed.
public struct SharedTicket: Sendable, Hashable {
    /// Changes whenever everything is forgotten.
    public let epoch: String
    /// The number of evictions until then.
    public let sequence: Int64
    public let holder: String

    public init(epoch: String, sequence: Int64, holder: String) {
        (self.epoch, self.sequence, self.holder) = (epoch, sequence, holder)
    }
}
