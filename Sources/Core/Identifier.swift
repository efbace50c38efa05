public import Foundation

/// An identifier of one kind of thing: a bookmark's cannot be passed where a user's is expected.
///
/// New ones are UUIDs of version 7 (RFC 9562 §5.7): they sort by creation time (to a quarter of a microsecond, RFC 9562 §6.2 method 3) and
/// have 62 random bits. Written as 36 lower-case characters.
public struct Identifier<Entity>: Hashable, Sendable {
    public let uuid: UUID

    /// Makes a new, unique identifier.
    public init() {
        self.uuid = UUID.version7(at: Date())
    }

    public init(_ uuid: UUID) {
        self.uuid = uuid
    }

    /// Reads the 36-character form, in either case; `nil` for anything else.
    public init?(_ text: some StringProtocol) {
        guard let uuid = UUID(text: text) else { return nil }
        self.uuid = uuid
    }
}

extension Identifier: CustomStringConvertible {
    public var description: String { uuid.text }
}

extension Identifier: Comparable {
    public static func < (left: Self, right: Self) -> Bool { left.uuid < right.uuid }
}

extension UUID {
    /// A version 7 UUID for the given moment: 48 bits of milliseconds, 12 bits of the fraction, 62 bits of chance.
    static func version7(at moment: Date) -> UUID {
        let time = max(0, moment.timeIntervalSince1970 * 1000)
        let milliseconds = UInt64(time)
        let fraction = UInt64((time - time.rounded(.down)) * 4096)
        let chance = UInt64.random(in: .min ... .max)
        func byte(_ value: UInt64, _ shift: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: value >> shift) }
        return UUID(
            uuid: (
                byte(milliseconds, 40), byte(milliseconds, 32), byte(milliseconds, 24), byte(milliseconds, 16),
                byte(milliseconds, 8), byte(milliseconds, 0), 0x70 | (byte(fraction, 8) & 0x0F), byte(fraction, 0),
                0x80 | (byte(chance, 0) & 0x3F), byte(chance, 8), byte(chance, 16), byte(chance, 24),
                byte(chance, 32), byte(chance, 40), byte(chance, 48), byte(chance, 56)
            ))
    }
}

/// Whoever signs in and owns things: the entity of the identifiers that name a user.
public enum Account {}

/// People who own things together: the entity of the identifiers that name an organisation.
public enum Organisation {}

/// A login, and every token that descends from it: the entity of the identifiers that name a session.
public enum LoginSession {}

/// What a program calls with in its owner's place: the entity of the identifiers that name a key.
public enum APIKey {}
