public import Logging
public import ServiceLifecycle

/// Measures how long work waits, and tells an ``Admission``: while there is work every 10 ms, else ten times a second.
public struct LoadWatch: Service {
    private let admission: Admission
    private let waiting: @Sendable () -> (all: Int, queued: Int)
    private let logger: Logger

    /// - Parameter waiting: How many calls wait for the database at this moment, and how many of them are served one at a time; cheap to ask.
    public init(_ admission: Admission, logger: Logger, waiting: @escaping @Sendable () -> (all: Int, queued: Int)) {
        (self.admission, self.logger, self.waiting) = (admission, logger, waiting)
    }

    /// Watches until cancelled or shut down.
    public func run() async { await cancelWhenGracefulShutdown { await watch() } }

    private func watch() async {
        var last = ContinuousClock.now
        while !Task.isCancelled {
            let pause = admission.isIdle ? Self.idle : Self.busy
            let start = ContinuousClock.now
            // Ends early only by the cancellation that the loop asks for.
            try? await Task.sleep(for: pause, tolerance: .zero)
            let now = ContinuousClock.now
            let lag = max(.zero, start.duration(to: now) - pause)
            let (waiting, queued) = waiting()
            tell(admission.note(LoadSample(lag: lag, waiting: waiting, queued: queued, interval: last.duration(to: now)), now: now))
            last = now
        }
    }

    private static let busy = Duration.milliseconds(10)
    private static let idle = Duration.milliseconds(100)

    private func tell(_ news: Shedding.News?) {
        guard let news else { return }
        let statistics = admission.statistics
        var metadata: Logger.Metadata = ["limit": "\(statistics.limit)", "running": "\(statistics.running)", "lag": "\(statistics.lag)"]
        switch news {
        case .began: logger.warning("Overloaded: requests are being refused", metadata: metadata)
        case .ended(let count):
            metadata["refused"] = "\(count)"
            logger.notice("Not overloaded any more: no request is refused", metadata: metadata)
        }
    }
}
