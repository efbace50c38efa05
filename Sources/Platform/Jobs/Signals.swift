import Synchronization

/// Wakes the one loop that listens; what comes while it is busy is one call.
final class Bell: Sendable {
    let calls: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (calls, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    func ring() { continuation.yield() }
}

/// Rings a bell at a moment; setting it again replaces the moment.
final class Alarm: Sendable {
    private let bell: Bell
    private let timer = Mutex<Task<Void, Never>?>(nil)

    init(_ bell: Bell) { self.bell = bell }

    deinit { timer.withLock { $0?.cancel() } }

    func set(after delay: Duration) {
        let next = Task { [bell] in
            // Cancelled: another moment was set.
            do { try await Task.sleep(for: max(.zero, delay)) } catch { return }
            bell.ring()
        }
        timer.withLock { timer in
            timer?.cancel()
            timer = next
        }
    }
}
