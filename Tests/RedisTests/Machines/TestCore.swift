import NIOCore

@testable import MartletRedis

/// A core at an instant that the test sets, whose callers are numbers; what it wants done is told in words.
struct TestCore {
    private(set) var core: Core
    /// Since the beginning.
    var milliseconds = 0
    private let start = ContinuousClock.now
    private var calls: [ObjectIdentifier: Int] = [:]
    private var kept: [Call] = []

    init(connections: Int = 1, waiting: Int = 100, isPrepared: Bool = false) {
        core = Core(
            limits: Core.Limits(connections: connections, waiting: waiting), login: RedisLogin(), isPrepared: isPrepared, jitter: { 1 })
    }

    var now: ContinuousClock.Instant { start + .milliseconds(milliseconds) }
    var nextLook: Int? { core.nextLook.map { Int(start.duration(to: $0) / .milliseconds(1)) } }

    mutating func ask(_ number: Int, count: Int = 1) -> [String] {
        let call = newCall(number)
        core.submit(call, ByteBuffer(), count: count, now: now)
        return words()
    }

    mutating func ask(_ number: Int, on id: ConnectionID) -> [String] {
        let call = newCall(number)
        core.submit(call, on: id, ByteBuffer(), count: 1, now: now)
        return words()
    }

    mutating func opened(_ id: ConnectionID) -> [String] { turn { core, _ in core.opened(id) } }
    mutating func ended(_ id: ConnectionID) -> [String] { turn { $0.ended(id, now: $1) } }
    mutating func prepared(_ id: ConnectionID) -> [String] { turn { $0.prepared(id, now: $1) } }
    mutating func unprepared(_ id: ConnectionID) -> [String] { turn { $0.unprepared(id, now: $1) } }
    mutating func garbled(_ id: ConnectionID) -> [String] { turn { $0.garbled(id, .malformedLine, now: $1) } }
    mutating func hear(_ id: ConnectionID, _ values: RESPValue...) -> [String] {
        turn { $0.receive(id, values.map { .reply($0) }, now: $1) }
    }
    mutating func tick(after pause: Int = 0) -> [String] {
        milliseconds += pause
        return turn { $0.tick(now: $1) }
    }
    mutating func close() -> [String] { turn { core, _ in core.close() } }

    /// What an opened connection says and hears until it serves.
    mutating func greet(_ id: ConnectionID) -> [String] {
        _ = opened(id)
        _ = core.takeOutgoing(id)
        _ = hear(id, .map([:]))
        _ = core.takeOutgoing(id)
        return hear(id, .text("PONG"))
    }

    /// What was written is on its way.
    mutating func flush(_ id: ConnectionID) { _ = core.takeOutgoing(id) }

    private mutating func newCall(_ number: Int) -> Call {
        let call = Call()
        kept.append(call)
        calls[ObjectIdentifier(call)] = number
        return call
    }

    private mutating func turn(_ body: (inout Core, ContinuousClock.Instant) -> Void) -> [String] {
        body(&core, now)
        return words()
    }

    private mutating func words() -> [String] { core.takeEffects().compactMap(told) }

    private func told(_ effect: Core.Effect) -> String? {
        switch effect {
        case .open(let id): "open \(id)"
        case .flush(let id): "flush \(id)"
        case .close(let id): "close \(id)"
        case .prepare(let id): "prepare \(id)"
        case .answer(let call, .success(let values)):
            "answer \(calls[ObjectIdentifier(call)] ?? -1) \(values.map(\.words).joined(separator: ","))"
        case .answer(let call, .failure(let outage)): "fail \(calls[ObjectIdentifier(call)] ?? -1) \(outage)"
        case .deliver(let stream, let message): "deliver \(stream) \(message)"
        case .finish(let stream): "finish \(stream)"
        case .availabilityChanged: core.isAvailable ? "available" : "away"
        case .log: nil
        case .ended: "ended"
        }
    }
}

extension RESPValue {
    fileprivate var words: String {
        switch self {
        case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
        case .integer(let number): "\(number)"
        case .error(let error): error.code
        default: "\(self)"
        }
    }
}
