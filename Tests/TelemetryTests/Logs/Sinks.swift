import Foundation
import Logging
import Synchronization

@testable import MartletTelemetry

/// Keeps what is written; a gate holds up whoever writes.
final class MemoryPlace: Sendable {
    private let state = Mutex((bytes: [UInt8](), refuses: false, reopened: 0))
    private let gate = DispatchSemaphore(value: 0)
    private let isStuck: Bool

    init(isStuck: Bool = false) { self.isStuck = isStuck }

    var sink: any LogSink { Sink(place: self) }
    var text: String { state.withLock { String(decoding: $0.bytes, as: UTF8.self) } }
    var lines: [String] { text.split(separator: "\n").map(String.init) }
    var timesReopened: Int { state.withLock { $0.reopened } }

    func refuse(_ refuses: Bool) { state.withLock { $0.refuses = refuses } }
    /// Lets the one who is stuck go on, and all after it.
    func letGo() { for _ in 0..<1000 { gate.signal() } }

    private struct Sink: LogSink {
        let place: MemoryPlace
        let batchBytes = 4096

        func write(_ bytes: [UInt8]) -> Int {
            if place.isStuck { place.gate.wait() }
            return place.state.withLock { state in
                guard !state.refuses else { return 0 }
                state.bytes += bytes
                return bytes.count
            }
        }

        func reopen() { place.state.withLock { $0.reopened += 1 } }
    }
}

extension Logs {
    /// Everything, as JSON, into these places.
    convenience init(
        into places: MemoryPlace..., levels: LogLevels = LogLevels(LogLevelRules(standard: .trace)),
        bounds: LogWriter.Bounds = .init()
    ) {
        self.init(levels, places.map { Output($0.sink, .json, .trace, bounds) })
    }
}
