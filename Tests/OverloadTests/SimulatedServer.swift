import Foundation
import MartletTestSupport

@testable import MartletOverload

/// A server in a clock of its own: requests come at random moments whether earlier ones are answered or not, are admitted or refused, and
/// take their turn on a few cores, or on a few connections of a database.
struct SimulatedServer {
    enum Bottleneck { case cores, connections }

    struct Outcome {
        var served = 0
        var refused = 0
        var latencies: [Double] = []

        var p99: Double { latencies.sorted()[latencies.count * 99 / 100] }
    }

    let places: Int
    let bottleneck: Bottleneck
    /// Seconds, on average.
    let service: Double
    /// Seconds that refusing takes.
    let refusal: Double
    private var random: SeededNumbers
    private var queue: AdmissionQueue
    private var limit: ConcurrencyLimit
    private let isProtected: Bool
    private let start = ContinuousClock.now
    private var now = 0.0
    private var freeAt: [Double]
    private var beginnings: [Double] = []
    private var endings: [(at: Double, came: Double)] = []
    private var waiting: [UInt64: Double] = [:]
    private var ended = 0
    private var outcome = Outcome()

    init(
        places: Int, bottleneck: Bottleneck = .cores, service: Double, refusal: Double = 0, isProtected: Bool = true, seed: UInt64
    ) {
        (self.places, self.bottleneck, self.service, self.refusal) = (places, bottleneck, service, refusal)
        self.isProtected = isProtected
        random = SeededNumbers(seed: seed)
        limit = ConcurrencyLimit(AdmissionLimits(floor: 4, ceiling: 1000))
        queue = AdmissionQueue(limit: limit.value)
        freeAt = Array(repeating: 0, count: places)
    }

    /// Requests per second that can be served.
    var capacity: Double { Double(places) / service }

    var currentLimit: Int { limit.value }

    /// Lets requests come for some seconds, `load` times as many as can be served.
    mutating func run(seconds: Double, load: Double) -> Outcome {
        outcome = Outcome()
        let end = now + seconds
        var (arrival, tick) = (now + exponential(1 / (load * capacity)), now + 0.01)
        while min(arrival, tick) < end {
            let next = min(arrival, tick, endings.first?.at ?? .infinity)
            now = next
            if next == endings.first?.at {
                finish()
            } else if next == arrival {
                arrive()
                arrival += exponential(1 / (load * capacity))
            } else {
                look()
                tick += 0.01
            }
        }
        return outcome
    }

    private var instant: ContinuousClock.Instant { start + .seconds(now) }
    private var lastTicket: UInt64 = 0

    private mutating func arrive() {
        guard isProtected else { return begin(came: now) }
        lastTicket += 1
        waiting[lastTicket] = now
        perform(queue.enter(.reads, lastTicket, deadline: nil, now: instant))
    }

    private mutating func look() {
        let earliest = max(0, (freeAt.min() ?? 0) - now)
        beginnings.removeAll { $0 <= now }
        let sample = LoadSample(
            lag: bottleneck == .cores ? .seconds(earliest) : .zero, waiting: bottleneck == .connections ? beginnings.count : 0,
            interval: .milliseconds(10))
        limit.note(sample, running: queue.running, ended: ended, isWanted: queue.isFull)
        (queue.limit, queue.lag) = (limit.value, sample.lag)
        perform(queue.look(now: instant))
    }

    private mutating func finish() {
        let ending = endings.removeFirst()
        outcome.served += 1
        outcome.latencies.append(now - ending.came)
        guard isProtected else { return }
        ended += 1
        let instant = instant
        perform(queue.end(.reads) { instant })
    }

    private mutating func perform(_ actions: [AdmissionQueue.Action]) {
        for action in actions {
            guard let came = waiting.removeValue(forKey: action.ticket) else { continue }
            if action.isRefusal {
                outcome.refused += 1
                if bottleneck == .cores { occupy(refusal) }
            } else {
                begin(came: came)
            }
        }
    }

    private mutating func begin(came: Double) {
        let times = occupy(exponential(service))
        if times.begin > now { beginnings.append(times.begin) }
        let place = endings.firstIndex { $0.at > times.end } ?? endings.endIndex
        endings.insert((times.end, came), at: place)
    }

    /// Takes the place that is free first.
    @discardableResult
    private mutating func occupy(_ seconds: Double) -> (begin: Double, end: Double) {
        let place = freeAt.indices.min { freeAt[$0] < freeAt[$1] } ?? 0
        let begin = max(now, freeAt[place])
        freeAt[place] = begin + seconds
        return (begin, begin + seconds)
    }

    private mutating func exponential(_ mean: Double) -> Double {
        -mean * log(Double.random(in: Double.ulpOfOne...1, using: &random))
    }
}
