/// The form in which something is kept: immutable, so that any number of readers may share it, and bytes for other processes.
public protocol Keepable: Sendable {
    /// About what it takes in memory.
    var byteCount: Int { get }
    /// What ``init(encoded:)`` reads again, in this release or another one.
    func encoded() -> [UInt8]
    /// `nil` for bytes that it does not understand: they count as not kept.
    init?(encoded bytes: [UInt8])
}

/// Bytes as they are.
struct KeptBytes: Keepable {
    let bytes: [UInt8]

    var byteCount: Int { bytes.count }

    init(_ bytes: [UInt8]) { self.bytes = bytes }
    init?(encoded bytes: [UInt8]) { self.init(bytes) }

    func encoded() -> [UInt8] { bytes }
}

/// What was computed, and whether others may have it.
public struct Made<Form: Keepable>: Sendable {
    public let form: Form?
    public let isShareable: Bool

    /// - Parameters:
    ///   - form: `nil` when it turned out that there is nothing.
    ///   - isShareable: `false` for what is for the caller alone: it is not kept, and who waited for it computes for themselves.
    public init(_ form: Form?, isShareable: Bool = true) { (self.form, self.isShareable) = (form, isShareable) }
}

/// What a cache answered.
public struct Found<Form: Keepable>: Sendable {
    public enum Source: Sendable { case memory, shared, computed }

    /// `nil` when it is known that there is nothing.
    public let form: Form?
    /// What it depends on.
    public let tags: [CacheTag]
    /// How long ago it was computed.
    public let age: Duration
    /// Whether its time has run out, and a new one is being made.
    public let isStale: Bool
    public let source: Source
}
