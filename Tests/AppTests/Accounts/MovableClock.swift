import Foundation
import MartletCore
import Synchronization

/// A clock that stands still until it is told to move.
final class MovableClock: Sendable {
    private let moment: Mutex<Date>

    init(_ start: Date = Date(timeIntervalSince1970: 1_900_000_000)) {
        moment = Mutex(start)
    }

    var now: Date { moment.withLock { $0 } }

    var reading: WallClock { WallClock { self.now } }

    func advance(by duration: Duration) {
        moment.withLock { $0.addTimeInterval(Double(duration.components.seconds)) }
    }
}
