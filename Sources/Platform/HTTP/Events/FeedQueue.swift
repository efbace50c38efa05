import NIOCore

/// What waits for one listener, as a pure state machine: frames and ticks come in, steps come out.
///
/// `Waiter` is whoever waits for the next frame; there is at most one.
struct FeedQueue<Waiter: Sendable>: Sendable {
    /// Who is to be resumed with what; `nil` is the end.
    struct Resumption: Sendable {
        let waiter: Waiter
        let frame: EventFrame?
    }

    enum Taking: Sendable {
        case frame(EventFrame)
        case ended
        /// There is nothing yet: the waiter is kept.
        case waits
    }

    /// After how many ticks without a frame a heartbeat is sent.
    static var ticksToHeartbeat: Int { 3 }

    private(set) var isEnded = false
    private var frames: CircularBuffer<EventFrame>
    private let room: Int
    private var waiter: Waiter?
    private var quietTicks = 0

    /// - Parameter room: How many frames may wait beyond those that wait from the beginning.
    init(_ first: [EventFrame], room: Int) {
        frames = CircularBuffer(initialCapacity: first.count)
        frames.append(contentsOf: first)
        self.room = first.count + max(1, room)
    }

    /// Ends when there is no room: an event left out in the middle would never be noticed, while the end is, and can be made good.
    mutating func send(_ frame: EventFrame) -> Resumption? {
        guard !isEnded else { return nil }
        quietTicks = 0
        if let waiter = takeWaiter() { return Resumption(waiter: waiter, frame: frame) }
        if frames.count < room { frames.append(frame) } else { isEnded = true }
        return nil
    }

    /// What waits is still taken; nothing comes after it.
    mutating func finish() -> Resumption? {
        isEnded = true
        return takeWaiter().map { Resumption(waiter: $0, frame: nil) }
    }

    /// Nobody listens any more.
    mutating func cancel() -> Resumption? {
        frames.removeAll()
        return finish()
    }

    mutating func take(_ waiter: @autoclosure () -> Waiter) -> Taking {
        if let frame = frames.popFirst() {
            quietTicks = 0
            return .frame(frame)
        }
        guard !isEnded else { return .ended }
        self.waiter = waiter()
        return .waits
    }

    /// A listener that has not taken what was sent before needs no heartbeat: there are bytes on the way to it.
    mutating func tick() -> Resumption? {
        guard waiter != nil else { return nil }
        quietTicks += 1
        guard quietTicks >= Self.ticksToHeartbeat, let waiter = takeWaiter() else { return nil }
        quietTicks = 0
        return Resumption(waiter: waiter, frame: .heartbeat)
    }

    var isIdle: Bool { waiter != nil }

    private mutating func takeWaiter() -> Waiter? {
        defer { waiter = nil }
        return waiter
    }
}
