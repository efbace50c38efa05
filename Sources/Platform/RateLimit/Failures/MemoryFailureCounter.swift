import Synchronization

/// Failures counted in this process.
///
/// It remembers at most as many subjects as its capacity. When a flood of them leaves no room, a new one takes the place of that of eight
/// others which would be forgotten first: those with long waits stay, unless most have them.
public final class MemoryFailureCounter: FailureCounter {
    private let table: Mutex<FailureTable>
    private let clock: @Sendable () -> Int64

    /// - Parameters:
    ///   - capacity: The most subjects to remember, about 250 bytes each.
    ///   - clock: Microseconds that never go back.
    public init(capacity: Int = 1 << 16, clock: @escaping @Sendable () -> Int64 = Uptime.microseconds) {
        table = Mutex(FailureTable(capacity: max(1, capacity)))
        self.clock = clock
    }

    /// How many subjects are remembered.
    public var count: Int { table.withLock(\.count) }

    public func attempt(_ subject: String, _ delay: GrowingDelay) async -> Duration {
        let now = clock()
        return table.withLock { table in
            var record = table.record(of: subject)
            let wait = delay.attempt(&record, at: now)
            if let record, wait == .zero { table.set(record, of: subject, until: delay.forgottenAt(record)) }
            return wait
        }
    }

    public func takeBack(_ subject: String) async {
        table.withLock { $0.takeBack(subject) }
    }

    public func forget(_ subject: String) async {
        table.withLock { $0.remove(subject) }
    }
}

/// Subjects and their failures, of which there are never more than its capacity.
private struct FailureTable {
    private struct Entry {
        let subject: String
        var record: FailureRecord
        var forgottenAt: Int64
    }

    private let capacity: Int
    private var places: [String: Int] = [:]
    private var entries: [Entry] = []
    private var cursor = 0

    init(capacity: Int) { self.capacity = capacity }

    var count: Int { entries.count }

    func record(of subject: String) -> FailureRecord? {
        places[subject].map { entries[$0].record }
    }

    mutating func set(_ record: FailureRecord, of subject: String, until forgottenAt: Int64) {
        let entry = Entry(subject: subject, record: record, forgottenAt: forgottenAt)
        if let place = places[subject] {
            entries[place] = entry
            return
        }
        if entries.count >= capacity { makeRoom() }
        places[subject] = entries.count
        entries.append(entry)
    }

    mutating func takeBack(_ subject: String) {
        guard let place = places[subject] else { return }
        if entries[place].record.count > 1 { entries[place].record.count -= 1 } else { remove(subject) }
    }

    mutating func remove(_ subject: String) {
        guard let place = places.removeValue(forKey: subject) else { return }
        let last = entries.removeLast()
        guard place < entries.count else { return }
        entries[place] = last
        places[last.subject] = place
    }

    /// What is over comes first of all.
    private mutating func makeRoom() {
        let sample = (0..<8).map { (cursor + $0 * max(1, entries.count / 8)) % entries.count }
        if let first = sample.min(by: { entries[$0].forgottenAt < entries[$1].forgottenAt }) { remove(entries[first].subject) }
        cursor += 1
    }
}
