public import Foundation

/// Where the present moment comes from, so that tests can choose it.
public struct WallClock: Sendable {
    private let read: @Sendable () -> Date

    public init(_ read: @escaping @Sendable () -> Date) {
        self.read = read
    }

    /// Now, rounded down to whole milliseconds: what the wire and every database can hold exactly.
    public var now: Date {
        Date(timeIntervalSince1970: (read().timeIntervalSince1970 * 1000).rounded(.down) / 1000)
    }

    /// The machine's clock.
    public static let system = WallClock { Date() }
}
