import Metrics
import Synchronization

// What handles write to: nothing waits for anything, and a scrape reads while they write.

/// A number that only grows.
final class CounterSeries: CounterHandler, FloatingPointCounterHandler, Sendable {
    private let whole = Atomic<Int64>(0)
    private let fraction = AtomicDouble()

    func increment(by amount: Int64) {
        if amount > 0 { whole.wrappingAdd(amount, ordering: .relaxed) }
    }

    func increment(by amount: Double) {
        if amount > 0, amount.isFinite { fraction.add(amount) }
    }

    func reset() {
        whole.store(0, ordering: .relaxed)
        fraction.value = 0
    }

    var value: Double { Double(whole.load(ordering: .relaxed)) + fraction.value }
}

/// A number that goes up and down.
final class GaugeSeries: MeterHandler, RecorderHandler, Sendable {
    private let number = AtomicDouble()

    func set(_ value: Int64) { number.value = Double(value) }
    func set(_ value: Double) { number.value = value }
    func increment(by amount: Double) { number.add(amount) }
    func decrement(by amount: Double) { number.add(-amount) }
    func record(_ value: Int64) { set(value) }
    func record(_ value: Double) { set(value) }

    var value: Double { number.value }
}

/// How often values were at most so large. Its parts need not be of one same moment, but the count is always the sum of the buckets.
final class HistogramSeries: RecorderHandler, TimerHandler, @unchecked Sendable {
    private let bounds: [Double]
    /// One more than bounds. Atomics cannot be elements of an array.
    private let buckets: UnsafeMutablePointer<Atomic<Int>>
    private let sum = AtomicDouble()

    init(bounds: [Double]) {
        self.bounds = bounds
        buckets = .allocate(capacity: bounds.count + 1)
        for index in 0...bounds.count { (buckets + index).initialize(to: Atomic(0)) }
    }

    deinit {
        buckets.deinitialize(count: bounds.count + 1)
        buckets.deallocate()
    }

    func record(_ value: Double) {
        guard value.isFinite else { return }
        var index = 0
        while index < bounds.count, value > bounds[index] { index += 1 }
        buckets[index].wrappingAdd(1, ordering: .relaxed)
        sum.add(value)
    }

    func record(_ value: Int64) { record(Double(value)) }

    /// Exposed in seconds. A duration below zero is a clock's fault, and counts as none.
    func recordNanoseconds(_ duration: Int64) { record(Double(max(0, duration)) / 1e9) }

    struct Counts: Sendable, Equatable {
        let bounds: [Double]
        /// Of each bucket alone; the last is beyond all bounds.
        let counts: [Int]
        let sum: Double
    }

    var counts: Counts {
        Counts(bounds: bounds, counts: (0...bounds.count).map { buckets[$0].load(ordering: .relaxed) }, sum: sum.value)
    }
}

/// A floating-point number that many write to.
struct AtomicDouble: ~Copyable, Sendable {
    private let bits = Atomic<UInt64>(0)

    var value: Double {
        get { Double(bitPattern: bits.load(ordering: .relaxed)) }
        nonmutating set { bits.store(newValue.bitPattern, ordering: .relaxed) }
    }

    func add(_ amount: Double) {
        var old = bits.load(ordering: .relaxed)
        while true {
            let new = (Double(bitPattern: old) + amount).bitPattern
            let (exchanged, original) = bits.weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
            if exchanged { return }
            old = original
        }
    }
}
