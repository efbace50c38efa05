/// How long to wait before a broken stream is resumed: longer each time that nothing comes of it, and never the same for all clients.
struct Reconnection {
    static let shortest = Duration.milliseconds(500)
    static let longest = Duration.seconds(15)

    /// What the server asks for, instead of the shortest.
    var retry: Duration?
    private var fruitless = 0

    /// Something was received.
    mutating func succeeded() {
        fruitless = 0
    }

    /// - Parameters:
    ///   - asked: What the refused attempt was told to wait at least.
    ///   - jitter: From 0 to 1; the wait is up to half longer.
    mutating func wait(atLeast asked: Duration = .zero, jitter: Double) -> Duration {
        let first = retry ?? Self.shortest
        let full = min(first * (1 << fruitless), max(first, Self.longest))
        fruitless = min(fruitless + 1, 5)
        return max(full, min(asked, .seconds(3600))) * (1 + jitter / 2)
    }
}
